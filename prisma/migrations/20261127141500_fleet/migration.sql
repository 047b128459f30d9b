ALTER TABLE "presence" ADD COLUMN "clock_skew" INTEGER;

CREATE TABLE "tool_definitions" (
    "org" TEXT NOT NULL,
    "gateway" TEXT NOT NULL,
    "server" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "definition" JSONB NOT NULL,

    CONSTRAINT "tool_definitions_pkey" PRIMARY KEY ("org","gateway","server","digest")
);

CREATE TABLE "labels" (
    "org" TEXT NOT NULL,
    "atsign" TEXT NOT NULL,
    "label" TEXT NOT NULL,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "labels_pkey" PRIMARY KEY ("org","atsign","label")
);

CREATE TABLE "label_changes" (
    "id" TEXT NOT NULL,
    "org" TEXT NOT NULL,
    "added" JSONB NOT NULL,
    "removed" JSONB NOT NULL,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "label_changes_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "reported_grants" (
    "org" TEXT NOT NULL,
    "gateway" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "agent" TEXT NOT NULL,
    "tools" JSONB NOT NULL,
    "issued_at" TIMESTAMPTZ(0) NOT NULL,
    "expires_at" TIMESTAMPTZ(0) NOT NULL,
    "max_calls" BIGINT,
    "used_calls" BIGINT NOT NULL,
    "reported_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "reported_grants_pkey" PRIMARY KEY ("org","gateway","hash")
);

CREATE INDEX "acks_org_gateway_seq_id_idx" ON "acks"("org", "gateway", "seq", "id");

CREATE INDEX "acks_org_gateway_revocation_count_id_idx" ON "acks"("org", "gateway", "revocation_count", "id");

CREATE INDEX "labels_org_label_idx" ON "labels"("org", "label");

CREATE INDEX "label_changes_created_at_idx" ON "label_changes"("created_at");

CREATE INDEX "reported_grants_org_expires_at_idx" ON "reported_grants"("org", "expires_at");

CREATE INDEX "reported_grants_org_agent_idx" ON "reported_grants"("org", "agent");

CREATE INDEX "receipts_org_grant_hash_idx" ON "receipts"("org", "grant_hash");
