-- AlterTable
ALTER TABLE "signing_requests" ADD COLUMN     "invite" JSONB,
ADD COLUMN     "kind" TEXT NOT NULL DEFAULT 'statement',
ALTER COLUMN "seq" DROP NOT NULL,
ALTER COLUMN "hash" DROP NOT NULL,
ALTER COLUMN "bytes" DROP NOT NULL;
