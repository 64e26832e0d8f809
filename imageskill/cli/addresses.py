"""Where the service is; a server that hands out the client replaces this file by its addresses."""

API_URL = "https://api.image-skill.com"
SITE_URL = "https://image-skill.com"
