"""Public addresses of images."""

from django.urls import re_path

from jobs.assets import media

urlpatterns = [
    re_path(
        r"^a/(?P<asset_id>image_[A-Za-z0-9._-]{1,128})\.(?P<extension>[a-z]{3,4})$",
        media.serve_image,
        name="image",
    ),
    re_path(
        r"^t/(?P<asset_id>image_[A-Za-z0-9]{1,128})\.webp$", media.serve_thumbnail, name="thumbnail"
    ),
]
