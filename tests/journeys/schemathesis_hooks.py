"""What generated requests cannot know."""

from __future__ import annotations

import json
import os
import random
import re
from typing import Any
from uuid import uuid4

import schemathesis

THERE = json.loads(os.environ["GNDP_TRIED"])
"""What there is on the server that is tried: by the noun of an address, ids of its items."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """A key that comes again with another request, and a cursor that no list gave, are refused, rightly: each
    request has a key of its own, and none has a cursor. Every other valid id becomes one that is there."""
    headers = case.headers or {}
    for name in headers:
        if name.lower() == "idempotency-key" and headers[name]:
            headers[name] = str(uuid4())
    if case.query:
        case.query.pop("cursor", None)
    there = THERE.get(case.path.split("/")[2])
    if there and case.path_parameters and random.random() < 0.5:
        for name, value in case.path_parameters.items():
            if _UUID.fullmatch(str(value)) if name == "id" else str(value).strip():
                case.path_parameters[name] = random.choice(there)
