"""The server as the client meets it: requests, proxies, downloads and uploads of images."""
