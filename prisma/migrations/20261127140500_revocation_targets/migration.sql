-- What a revocation is aimed at stands in its signed bytes, and may be several targets: nothing reads these columns.
ALTER TABLE "revocations" DROP COLUMN "target_kind", DROP COLUMN "target_id";
