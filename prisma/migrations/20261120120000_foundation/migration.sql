-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "acks" (
    "id" BIGSERIAL NOT NULL,
    "org" TEXT NOT NULL,
    "gateway" TEXT NOT NULL,
    "seq" INTEGER NOT NULL,
    "head" TEXT NOT NULL,
    "revocation_count" INTEGER NOT NULL,
    "revocation_digest" TEXT NOT NULL,
    "epoch" TEXT NOT NULL,
    "at" TIMESTAMPTZ(0) NOT NULL,
    "hash" TEXT NOT NULL,
    "jws" TEXT NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "acks_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "organisations" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "only" BOOLEAN NOT NULL DEFAULT true,
    "founded_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "organisations_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "statements" (
    "org" TEXT NOT NULL,
    "seq" INTEGER NOT NULL,
    "hash" TEXT NOT NULL,
    "op" TEXT NOT NULL,
    "bytes" BYTEA NOT NULL,
    "signatures" JSONB NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "statements_pkey" PRIMARY KEY ("org","seq")
);

-- CreateTable
CREATE TABLE "identities" (
    "org" TEXT NOT NULL,
    "atsign" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "enrolment" TEXT NOT NULL,
    "enrolled_seq" INTEGER NOT NULL,
    "admin" BOOLEAN NOT NULL,
    "tags" TEXT[],
    "owner" TEXT,
    "expires_at" TIMESTAMPTZ(0),

    CONSTRAINT "identities_pkey" PRIMARY KEY ("org","atsign")
);

-- CreateTable
CREATE TABLE "identity_keys" (
    "org" TEXT NOT NULL,
    "kid" TEXT NOT NULL,
    "atsign" TEXT NOT NULL,
    "use" TEXT NOT NULL,
    "alg" TEXT NOT NULL,
    "public_key" TEXT NOT NULL,
    "live" BOOLEAN NOT NULL,

    CONSTRAINT "identity_keys_pkey" PRIMARY KEY ("org","kid")
);

-- CreateTable
CREATE TABLE "servers" (
    "org" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "gateway" TEXT NOT NULL,
    "tools" JSONB NOT NULL,

    CONSTRAINT "servers_pkey" PRIMARY KEY ("org","name")
);

-- CreateTable
CREATE TABLE "receipts" (
    "id" BIGSERIAL NOT NULL,
    "org" TEXT NOT NULL,
    "gateway" TEXT NOT NULL,
    "epoch" TEXT NOT NULL,
    "rseq" BIGINT NOT NULL,
    "agent" TEXT NOT NULL,
    "server" TEXT NOT NULL,
    "tool" TEXT,
    "decision" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "rule" TEXT,
    "status" TEXT NOT NULL,
    "grant_hash" TEXT,
    "call_hash" TEXT,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3) NOT NULL,
    "took_ms" BIGINT,
    "policy" TEXT,
    "hash" TEXT NOT NULL,
    "jws" TEXT NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "receipts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "enrolment_codes" (
    "id" TEXT NOT NULL,
    "org" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "tags" TEXT[],
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "used_at" TIMESTAMPTZ(3),

    CONSTRAINT "enrolment_codes_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "enrolments" (
    "id" TEXT NOT NULL,
    "org" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "atsign" TEXT NOT NULL,
    "owner" TEXT,
    "hash" TEXT NOT NULL,
    "request" BYTEA NOT NULL,
    "proofs" JSONB NOT NULL,
    "facts" JSONB NOT NULL,
    "tags" TEXT[],
    "invited_by" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'pending',
    "reason" TEXT,
    "seq" INTEGER,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "enrolments_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "events" (
    "id" BIGSERIAL NOT NULL,
    "org" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "to" TEXT,
    "data" JSONB NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "events_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "presence" (
    "org" TEXT NOT NULL,
    "atsign" TEXT NOT NULL,
    "version" TEXT NOT NULL,
    "host" TEXT,
    "seen_at" TIMESTAMPTZ(3) NOT NULL,
    "left_at" TIMESTAMPTZ(3),

    CONSTRAINT "presence_pkey" PRIMARY KEY ("org","atsign")
);

-- CreateTable
CREATE TABLE "tool_reports" (
    "org" TEXT NOT NULL,
    "gateway" TEXT NOT NULL,
    "server" TEXT NOT NULL,
    "tools" JSONB NOT NULL,
    "reported_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "tool_reports_pkey" PRIMARY KEY ("org","gateway","server")
);

-- CreateTable
CREATE TABLE "grant_requests" (
    "id" TEXT NOT NULL,
    "org" TEXT NOT NULL,
    "agent" TEXT NOT NULL,
    "gateway" TEXT NOT NULL,
    "ask_bytes" INTEGER NOT NULL,
    "answer_bytes" INTEGER,
    "outcome" TEXT NOT NULL,
    "asked_at" TIMESTAMPTZ(3) NOT NULL,
    "took_ms" INTEGER NOT NULL,

    CONSTRAINT "grant_requests_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "grant_relays" (
    "id" TEXT NOT NULL,
    "org" TEXT NOT NULL,
    "agent" TEXT NOT NULL,
    "gateway" TEXT NOT NULL,
    "ask" BYTEA NOT NULL,
    "answer" BYTEA,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "grant_relays_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sessions" (
    "org" TEXT NOT NULL,
    "kid" TEXT NOT NULL,
    "atsign" TEXT NOT NULL,
    "public_key" TEXT NOT NULL,
    "signed_by" TEXT NOT NULL,
    "login" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "sessions_pkey" PRIMARY KEY ("org","kid")
);

-- CreateTable
CREATE TABLE "used_nonces" (
    "kid" TEXT NOT NULL,
    "nonce" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(0) NOT NULL,

    CONSTRAINT "used_nonces_pkey" PRIMARY KEY ("kid","nonce")
);

-- CreateTable
CREATE TABLE "policy_documents" (
    "org" TEXT NOT NULL,
    "sha256" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "bytes" BYTEA NOT NULL,
    "uploaded_by" TEXT NOT NULL,
    "uploaded_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "policy_documents_pkey" PRIMARY KEY ("org","sha256")
);

-- CreateTable
CREATE TABLE "signing_requests" (
    "id" TEXT NOT NULL,
    "org" TEXT NOT NULL,
    "seq" INTEGER NOT NULL,
    "hash" TEXT NOT NULL,
    "op" TEXT NOT NULL,
    "bytes" BYTEA NOT NULL,
    "signatures" JSONB NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'open',
    "reason" TEXT,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "signing_requests_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "revocations" (
    "id" BIGSERIAL NOT NULL,
    "org" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "bytes" BYTEA NOT NULL,
    "signatures" JSONB NOT NULL,
    "target_kind" TEXT NOT NULL,
    "target_id" TEXT NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "revocations_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "acks_org_gateway_id_idx" ON "acks"("org", "gateway", "id");

-- CreateIndex
CREATE UNIQUE INDEX "acks_org_hash_key" ON "acks"("org", "hash");

-- CreateIndex
CREATE UNIQUE INDEX "organisations_only_key" ON "organisations"("only");

-- CreateIndex
CREATE UNIQUE INDEX "statements_org_hash_key" ON "statements"("org", "hash");

-- CreateIndex
CREATE INDEX "identities_org_kind_idx" ON "identities"("org", "kind");

-- CreateIndex
CREATE INDEX "identity_keys_org_atsign_idx" ON "identity_keys"("org", "atsign");

-- CreateIndex
CREATE INDEX "servers_org_gateway_idx" ON "servers"("org", "gateway");

-- CreateIndex
CREATE INDEX "receipts_org_started_at_id_idx" ON "receipts"("org", "started_at", "id");

-- CreateIndex
CREATE INDEX "receipts_org_agent_id_idx" ON "receipts"("org", "agent", "id");

-- CreateIndex
CREATE INDEX "receipts_org_call_hash_idx" ON "receipts"("org", "call_hash");

-- CreateIndex
CREATE UNIQUE INDEX "receipts_org_gateway_epoch_rseq_key" ON "receipts"("org", "gateway", "epoch", "rseq");

-- CreateIndex
CREATE UNIQUE INDEX "enrolment_codes_hash_key" ON "enrolment_codes"("hash");

-- CreateIndex
CREATE INDEX "enrolment_codes_expires_at_idx" ON "enrolment_codes"("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "enrolments_hash_key" ON "enrolments"("hash");

-- CreateIndex
CREATE INDEX "enrolments_org_status_created_at_idx" ON "enrolments"("org", "status", "created_at");

-- CreateIndex
CREATE INDEX "enrolments_expires_at_idx" ON "enrolments"("expires_at");

-- CreateIndex
CREATE INDEX "events_at_idx" ON "events"("at");

-- CreateIndex
CREATE INDEX "grant_requests_org_asked_at_idx" ON "grant_requests"("org", "asked_at");

-- CreateIndex
CREATE INDEX "grant_relays_org_gateway_idx" ON "grant_relays"("org", "gateway");

-- CreateIndex
CREATE INDEX "grant_relays_expires_at_idx" ON "grant_relays"("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "sessions_login_key" ON "sessions"("login");

-- CreateIndex
CREATE INDEX "sessions_org_atsign_idx" ON "sessions"("org", "atsign");

-- CreateIndex
CREATE INDEX "sessions_expires_at_idx" ON "sessions"("expires_at");

-- CreateIndex
CREATE INDEX "used_nonces_expires_at_idx" ON "used_nonces"("expires_at");

-- CreateIndex
CREATE INDEX "signing_requests_org_status_idx" ON "signing_requests"("org", "status");

-- CreateIndex
CREATE INDEX "signing_requests_expires_at_idx" ON "signing_requests"("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "signing_requests_org_hash_key" ON "signing_requests"("org", "hash");

-- CreateIndex
CREATE INDEX "revocations_org_id_idx" ON "revocations"("org", "id");

-- CreateIndex
CREATE UNIQUE INDEX "revocations_org_hash_key" ON "revocations"("org", "hash");


