ALTER TABLE "presence" ADD COLUMN "clients" JSONB;
