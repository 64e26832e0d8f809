"""How clients of `/mcp` learn what token it takes (RFC 9728), and what is not offered.

There is no authorization server: tokens come from signup. Addresses that clients probe all the
same answer 404 in JSON, because some read any answer as JSON.
"""

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import path, re_path
from django.views.decorators.csrf import csrf_exempt

_METADATA = ".well-known/oauth-protected-resource"


def metadata_url() -> str:
    """Return the address of the metadata, for the answer to a wrong token."""
    return f"{settings.PUBLIC_API_URL}/{_METADATA}"


def metadata(request: HttpRequest) -> JsonResponse:
    """Describe the protected resource."""
    return JsonResponse(
        {
            "resource": f"{settings.PUBLIC_API_URL}/mcp",
            "resource_name": "Image Skill",
            "bearer_methods_supported": ["header"],
            "resource_documentation": f"{settings.PUBLIC_SITE_URL}/llms.txt",
        }
    )


@csrf_exempt
def nothing(request: HttpRequest, **_: str) -> JsonResponse:
    """Answer 404 in JSON."""
    return JsonResponse({"error": "not_found", "message": "Not offered here."}, status=404)


urlpatterns = [
    path(_METADATA, metadata, name="oauth_protected_resource"),
    path(f"{_METADATA}/mcp", metadata),
    # After every other address below /.well-known.
    re_path(r"^\.well-known/", nothing),
    # Where clients of the protocol's first edition ask when no metadata names another address.
    re_path(r"^(?:register|authorize|token)$", nothing),
]
