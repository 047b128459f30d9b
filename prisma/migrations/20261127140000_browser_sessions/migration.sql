-- CreateTable
CREATE TABLE "browser_sessions" (
    "id" TEXT NOT NULL,
    "org" TEXT NOT NULL,
    "atsign" TEXT NOT NULL,
    "signed_by" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "previous" TEXT,
    "rotated_at" TIMESTAMPTZ(3) NOT NULL,
    "login" TEXT NOT NULL,
    "client" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "browser_sessions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "login_nonces" (
    "nonce" TEXT NOT NULL,
    "browser" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "used_at" TIMESTAMPTZ(3),

    CONSTRAINT "login_nonces_pkey" PRIMARY KEY ("nonce")
);

-- CreateIndex
CREATE UNIQUE INDEX "browser_sessions_hash_key" ON "browser_sessions"("hash");

-- CreateIndex
CREATE UNIQUE INDEX "browser_sessions_previous_key" ON "browser_sessions"("previous");

-- CreateIndex
CREATE UNIQUE INDEX "browser_sessions_login_key" ON "browser_sessions"("login");

-- CreateIndex
CREATE INDEX "browser_sessions_org_atsign_idx" ON "browser_sessions"("org", "atsign");

-- CreateIndex
CREATE INDEX "browser_sessions_expires_at_idx" ON "browser_sessions"("expires_at");

-- CreateIndex
CREATE INDEX "login_nonces_expires_at_idx" ON "login_nonces"("expires_at");
