"""The refusal of pictures: bytes, type, size, hash or shape that we don't take."""

from imageskill.errors import ApiError


class InputPolicyDenied(ApiError):
    """A picture that came in, or is named as input, is not one that is accepted here."""

    code = "INPUT_POLICY_DENIED"
    status = 415
    exit_code = 6
    message = "This picture is not accepted."
