-- CreateTable
CREATE TABLE "approvals" (
    "id" TEXT NOT NULL,
    "org" TEXT NOT NULL,
    "gateway" TEXT NOT NULL,
    "epoch" TEXT NOT NULL,
    "agent" TEXT NOT NULL,
    "owner" TEXT,
    "server" TEXT NOT NULL,
    "tool" TEXT NOT NULL,
    "risk" TEXT NOT NULL,
    "rule" TEXT NOT NULL,
    "grant_hash" TEXT NOT NULL,
    "call_hash" TEXT NOT NULL,
    "schema" TEXT NOT NULL,
    "args" TEXT NOT NULL,
    "approvers" TEXT[],
    "content" BYTEA,
    "keys" JSONB NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'waiting',
    "decision" JSONB,
    "by" TEXT,
    "reason" TEXT,
    "code" TEXT,
    "outcome" TEXT,
    "took_ms" INTEGER,
    "held_at" TIMESTAMPTZ(3) NOT NULL,
    "deadline" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "approvals_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "approvals_org_status_idx" ON "approvals"("org", "status");

-- CreateIndex
CREATE INDEX "approvals_org_gateway_status_idx" ON "approvals"("org", "gateway", "status");

-- CreateIndex
CREATE INDEX "approvals_deadline_idx" ON "approvals"("deadline");
