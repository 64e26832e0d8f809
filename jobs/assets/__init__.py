"""Images as assets: storage, uploads, thumbnails, media URLs, retention."""
