"""Public addresses of pictures."""

from django.urls import re_path

from jobs.assets import media

urlpatterns = [
    re_path(
        r"^a/(?P<asset_id>image_[A-Za-z0-9._-]{1,128})\.(?P<extension>[a-z]{3,4})$",
        media.picture,
        name="picture",
    ),
    re_path(r"^t/(?P<asset_id>image_[A-Za-z0-9]{1,128})\.webp$", media.thumbnail, name="thumbnail"),
]
