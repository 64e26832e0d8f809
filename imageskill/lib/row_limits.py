"""Limits on how often something may happen, counted by the rows that it leaves.

Beside the limits in Redis, for what must hold without it or costs no statement that matters.
"""

import math
from datetime import timedelta
from typing import Any

from imageskill.lib import clock
from imageskill.lib.errors import RateLimited


def require_room(rows: Any, *, limit: int, per: timedelta) -> None:
    """Raise `RateLimited` if `limit` of these rows, a QuerySet, were made within that time.

    Exact where the caller has locked what the rows belong to.
    """
    now = clock.now()
    recent = rows.filter(created_at__gt=now - per).order_by("-created_at")
    times = list(recent.values_list("created_at", flat=True)[: max(limit, 1)])
    if len(times) < limit:
        return
    free_at = times[-1] + per if times else now + per
    wait = max(1, math.ceil((free_at - now).total_seconds()))
    raise RateLimited(recovery={"retry_after_seconds": wait})
