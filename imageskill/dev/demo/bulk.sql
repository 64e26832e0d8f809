-- What `bulk.py` runs for each hundred thousand jobs, a step under each heading. %(tag)s marks the
-- run; %(first)s to %(last)s of %(total)s are the numbers of its jobs, and n is one of them.

-- == agents
WITH fresh AS (
    SELECT n, substr(md5(%(tag)s::text || 'agent' || n), 1, 22) AS tail, %(begin)s::timestamptz + n * (%(end)s::timestamptz - %(begin)s::timestamptz) / %(total)s::bigint AS at
      FROM generate_series(%(first)s::bigint, %(last)s::bigint, %(jobs_of_an_agent)s::bigint) n
), org AS (
    INSERT INTO accounts_organization (public_id, created_at)
    SELECT 'org_' || tail, at FROM fresh ORDER BY n RETURNING id, public_id, created_at
), wallets AS (
    INSERT INTO billing_wallet (organization_id, purpose, balance)
    SELECT id, purpose, 0 FROM org, unnest(ARRAY['preview', 'paid', 'held', 'owed']) purpose
)
INSERT INTO accounts_agent (public_id, organization_id, name, runtime, contact, claim_state,
    claim_request_state, grants, cap_outputs_per_request, cap_credits_per_operation,
    suspension_reason, signup_network, discovery_source, session_origin, created_at, last_seen_at)
SELECT 'agt_' || tail, org.id, 'bulk-' || n, 'bulk', '', 'unclaimed', 'none', %(grants)s::text[], 4, 200,
       '', '', '', 'agent_signup', at, at
  FROM fresh JOIN org ON org.public_id = 'org_' || tail ORDER BY n;

-- == tokens
INSERT INTO accounts_token (agent_id, lookup, digest, created_at, last_used_at, revoked_because)
SELECT id, substr(md5(public_id), 1, 8) || substr(public_id, 5, 6), sha256(public_id::bytea),
       created_at, created_at, ''
  FROM accounts_agent WHERE name LIKE 'bulk-%%' AND id > %(agents_before)s::bigint ON CONFLICT DO NOTHING;

-- == jobs
INSERT INTO jobs_job (public_id, organization_id, agent_id, operation, status, trace_id,
    terms_digest, capability_id, model_id, provider_id, output_count, plan, planned_usd,
    credits_held, credits_captured, created_at, sent_at, started_at, call_began_at, submitted_at,
    answered_at, stored_at, completed_at, deadline_at, attempts, redeliveries, lease,
    provider_request_id, storage_attempts, error_code, error_message, error_class)
SELECT 'job_' || substr(md5(%(tag)s::text || 'job' || n), 1, 22), agent.organization_id, agent.id, 'create',
       CASE WHEN n %% 25 = 0 THEN 'failed' ELSE 'completed' END,
       'trace_' || md5(%(tag)s::text || 'trace' || n), '', 'is.image.generate.v1',
       (ARRAY['fal.flux-dev', 'fal.z-image-turbo', 'openai.gpt-image-2', 'local.sketch'])
           [1 + n %% 4],
       (ARRAY['fal', 'fal', 'openai', 'local'])[1 + n %% 4], 1, '{}', 0.04, %(price)s::int,
       CASE WHEN n %% 25 = 0 THEN NULL ELSE %(price)s::int END,
       at, at, at, at, at, at + interval '4 s', at + interval '5 s', at + interval '5 s',
       at + interval '300 s', 1, 0, '', substr(md5(%(tag)s::text || 'request' || n), 1, 20), 0,
       CASE WHEN n %% 25 = 0 THEN 'PROVIDER_FAILURE' ELSE '' END, '',
       CASE WHEN n %% 25 = 0 THEN 'transient' ELSE '' END
  FROM (SELECT n, %(begin)s::timestamptz + n * (%(end)s::timestamptz - %(begin)s::timestamptz) / %(total)s::bigint AS at, 'agt_' || substr(md5(%(tag)s::text || 'agent' || first), 1, 22)
               AS agent
          FROM generate_series(%(first)s::bigint, %(last)s::bigint) n,
               LATERAL (SELECT n - (n - %(first)s::bigint) %% %(jobs_of_an_agent)s::int AS first) f) made
  JOIN accounts_agent agent ON agent.public_id = made.agent
 ORDER BY n;

-- == assets
INSERT INTO jobs_asset (public_id, organization_id, agent_id, job_id, index, kind, mime_type,
    content_length, width, height, sha256, storage_key, thumbnail_key, state, created_at)
SELECT 'image_' || substr(job.public_id, 5), job.organization_id, job.agent_id, job.id, 0,
       'generated', 'image/png', %(length)s::int, %(width)s::int, %(height)s::int, md5(job.public_id),
       %(storage_key)s::text, %(thumbnail_key)s::text, 'available', job.completed_at
  FROM jobs_job job WHERE job.id > %(jobs_before)s::bigint AND job.plan = '{}' AND job.status = 'completed' ORDER BY job.id;

-- == checks
INSERT INTO jobs_assetcheck (asset_id, checked_at, is_good, decodes, is_as_promised,
    is_as_planned, is_blank, difference_hash, bands, finding)
SELECT id, created_at, id %% 500 > 0, true, true, id %% 500 > 0, false,
       substr(sha256, 1, 16), ARRAY[id %% 65536, 65536 + id / 7 %% 65536], ''
  FROM jobs_asset WHERE id > %(assets_before)s::bigint ORDER BY id;

-- == usage
INSERT INTO jobs_usage (public_id, job_id, organization_id, agent_id, credits, preview_credits,
    paid_credits, provider_usd, created_at)
SELECT 'usage_' || substr(job.public_id, 5), job.id, job.organization_id, job.agent_id, %(price)s::int,
       %(price)s::int, 0, 0.04, job.completed_at
  FROM jobs_job job WHERE job.id > %(jobs_before)s::bigint AND job.plan = '{}' AND job.status = 'completed' ORDER BY job.id;

-- == holds
INSERT INTO billing_jobhold (job_id, organization_id, preview, paid, state, captured_preview,
    captured_paid, created_at, closed_at)
SELECT job.public_id, job.organization_id, %(price)s::int, 0,
       CASE job.status WHEN 'completed' THEN 'captured' ELSE 'released' END,
       coalesce(job.credits_captured, 0), 0, job.created_at, job.completed_at
  FROM jobs_job job WHERE job.id > %(jobs_before)s::bigint AND job.plan = '{}' ORDER BY job.id;

-- == activity
INSERT INTO accounts_activityevent (public_id, organization_id, agent_id, type, occurred_at,
    summary, operation, subject_type, subject_id, status, links, details, trace_id, "references")
SELECT 'evt_' || substr(job.public_id, 5), job.organization_id, job.agent_id, 'job.completed',
       job.completed_at, 'Create job ' || job.status, 'create', 'job', job.public_id, job.status,
       jsonb_build_object('job_id', job.public_id), '{}', job.trace_id,
       ARRAY[job.public_id, job.trace_id]
  FROM jobs_job job WHERE job.id > %(jobs_before)s::bigint AND job.plan = '{}' ORDER BY job.id;

-- == telemetry
INSERT INTO accounts_telemetryrow (at, kind, name, endpoint, client, api_version, actor_type,
    actor_id, capability, provider, status, duration_ms, error_code, retry_state, job_id, trace_id)
SELECT job.completed_at, 'job', 'image-skill create', '', 'bulk', 'v1', 'agent', agent.public_id,
       job.capability_id, job.provider_id, job.status, 5000, job.error_code, '', job.public_id,
       job.trace_id
  FROM jobs_job job JOIN accounts_agent agent ON agent.id = job.agent_id
 WHERE job.id > %(jobs_before)s::bigint AND job.plan = '{}' ORDER BY job.id;

-- == transfers
INSERT INTO billing_transfer (key, kind, organization_id, source_id, target_id, credits, actor,
    reason, reference, created_at)
SELECT key, kind, organization_id, source, target, credits, 'system', 'bulk', reference, at FROM (
    SELECT 0 AS step, agent.id AS job, 'signup:' || agent.public_id AS key,
           'preview_grant' AS kind, agent.organization_id, %(promotions)s::bigint AS source,
           preview.id AS target, %(price)s * %(jobs_of_an_agent)s AS credits,
           agent.public_id AS reference, agent.created_at AS at
      FROM accounts_agent agent JOIN billing_wallet preview
        ON preview.organization_id = agent.organization_id AND preview.purpose = 'preview'
     WHERE agent.id > %(agents_before)s::bigint AND agent.runtime = 'bulk'
    UNION ALL
    SELECT step, job.id,
           'job:' || job.public_id || (ARRAY[':hold:preview', ':capture', ':return:preview'])[step],
           (ARRAY['hold_preview', 'capture', 'return_preview'])[step], job.organization_id,
           CASE step WHEN 1 THEN preview.id ELSE held.id END,
           CASE step WHEN 1 THEN held.id WHEN 2 THEN %(revenue)s::bigint ELSE preview.id END,
           %(price)s::int, job.public_id, CASE step WHEN 1 THEN job.created_at ELSE job.completed_at END
      FROM jobs_job job
      JOIN billing_wallet preview
        ON preview.organization_id = job.organization_id AND preview.purpose = 'preview'
      JOIN billing_wallet held
        ON held.organization_id = job.organization_id AND held.purpose = 'held',
           unnest(CASE job.status WHEN 'completed' THEN ARRAY[1, 2] ELSE ARRAY[1, 3] END) step
     WHERE job.id > %(jobs_before)s::bigint AND job.plan = '{}'
) made ORDER BY step > 0, job, step;

-- == entries
INSERT INTO billing_ledgerentry (transfer_id, wallet_id, credits, balance_after)
SELECT transfer_id, wallet_id, credits, balance + sum(credits) OVER
       (PARTITION BY wallet_id ORDER BY transfer_id ROWS UNBOUNDED PRECEDING)
  FROM (SELECT transfer.id AS transfer_id, wallet.id AS wallet_id, wallet.balance,
               CASE wallet.id WHEN source_id THEN -credits ELSE credits END AS credits
          FROM billing_transfer transfer
          JOIN billing_wallet wallet ON wallet.id IN (source_id, target_id)
         WHERE transfer.id > %(transfers_before)s::bigint) side
 ORDER BY transfer_id, credits;

-- == balances
UPDATE billing_wallet wallet SET balance = last.balance_after
  FROM (SELECT DISTINCT ON (wallet_id) wallet_id, balance_after FROM billing_ledgerentry
         WHERE transfer_id > %(transfers_before)s::bigint ORDER BY wallet_id, id DESC) last
 WHERE last.wallet_id = wallet.id;
