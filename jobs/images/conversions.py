"""What has to be changed about an image before it leaves for a provider. These are stored."""

TURNED = "turned"  # EXIF shows it otherwise than its pixels are stored
FIRST_FRAME = "first_frame"  # of an animation
COLORS = "colors"  # of CMYK, or of more than 8 bits a channel
PROFILE = "profile"  # larger than most readers take
