"""What tokens and keys look like: whatever reads for secrets is shown each of these.

Put together here, so that no scanner takes this file for a leak.
"""

RANDOM = "a1B2c3D4e5F6g7H8i9J0"

SAMPLES = {
    "ours": "isk_" + "r_" + "Ab1" * 12,
    "stripe": "sk_" + "live_" + RANDOM,
    "stripe restricted": "rk_" + "test_" + RANDOM,
    "stripe ephemeral": "ek_" + "test_" + RANDOM,
    "stripe publishable": "pk_" + "live_" + RANDOM,
    "stripe webhook": "whsec_" + RANDOM,
    "openai": "sk-" + RANDOM,
    "openai project": "sk-" + "proj-" + RANDOM,
    "openai service": "sk-" + "svcacct-" + RANDOM,
    "openai session": "sess-" + RANDOM + "k1L2",
    "anthropic": "sk-" + "ant-api03-" + RANDOM,
    "xai": "xai-" + RANDOM,
    "fal": "12345678-1234-1234-1234-123456789abc:" + "0123456789abcdef" * 2,
    "fal header": "Key 12345678-1234-1234-1234-123456789abc:" + "0123456789abcdef",
    "groq": "gsk_" + RANDOM,
    "replicate": "r8_" + RANDOM,
    "hugging face": "hf_" + RANDOM,
    "github": "ghp_" + RANDOM + RANDOM,
    "github fine-grained": "github_pat_" + RANDOM,
    "gitlab": "glpat-" + RANDOM,
    "aws": "AKIA" + "ABCDEFGHIJKLMNOP",
    "aws session": "ASIA" + "ABCDEFGHIJKLMNOP",
    "slack": "xoxb-" + "1234567890-abcdef",
    "sendgrid": "SG." + RANDOM + "." + RANDOM,
    "google": "AIza" + "a" * 35,
    "google access": "ya29." + RANDOM,
    "npm": "npm_" + RANDOM + RANDOM,
    "python packages": "pypi-" + RANDOM + RANDOM,
    "digital ocean": "dop_v1_" + "0123456789abcdef" * 2,
    "shopify": "shpat_" + RANDOM,
    "json web token": "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "bearer": "Bearer abcdef1234567890",
    "basic": "basic dXNlcjpwYXNzd29yZDE=",
    "wallet": "xprv" + "9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq",
    "private key": "-----BEGIN RSA PRIVATE KEY-----\nMIIabc1\n-----END RSA PRIVATE KEY-----",
}

SPLIT_SAMPLES = (
    "ours",
    "stripe",
    "stripe webhook",
    "openai project",
    "anthropic",
    "fal",
    "github",
    "github fine-grained",
    "aws",
)
"""Those that are known even with spaces between their characters."""

HARMLESS = (
    "a risk-assessment-of-everything-we-do",
    "the ask-anything-you-like-in-here page",
    "half_hf_precision",
    "npm_config_cache is set",
    "the key quote-1763700000000 of",
    "bearer of good news, and basic understanding",
    "job_01JDXK3V7Q8W9E2R4T5Y6U7I8O of image_01JDXK3V7Q8W9E2R4T5Y6U7I8O",
    "quote-1763700000000-1a2b3c4d",
    "550e8400-e29b-41d4-a716-446655440000",
)
