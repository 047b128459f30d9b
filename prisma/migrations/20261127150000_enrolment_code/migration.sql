ALTER TABLE "enrolments" ADD COLUMN "code" TEXT;
