"""The SQL of intake. Complaints themselves are read from the log: nothing of them lies anywhere else."""

# Two replicas make the secret of a new day at once: the first one counts.
MAKE_DAY_SECRET = """
INSERT INTO day_secrets (day, kek_id, wrapped) VALUES ($1, $2, $3) ON CONFLICT (day) DO NOTHING
"""

READ_DAY_SECRET = "SELECT kek_id, wrapped FROM day_secrets WHERE day = $1"

DESTROY_DAY_SECRETS = "DELETE FROM day_secrets WHERE day < $1"

# A claim's value begins with its day. Relies on claims_pkey.
DROP_OLD_CLAIMS = "DELETE FROM claims WHERE kind = $1 AND value < $2"
