"""Opening images, PDF pages, video frames and text, within limits. Nothing else opens a user's file.

`scan` finds files, `items_of` makes items of one, `open_content` and `open_query` open them for models.
"""

from ponder.media.content import digest_of, open_content, open_query
from ponder.media.formats import SUFFIXES, kind_of
from ponder.media.isolated import Isolation, isolate
from ponder.media.items import item_id, items_of
from ponder.media.limits import Limits
from ponder.media.passages import passages
from ponder.media.scan import Scan, Source, scan

__all__ = [
    "SUFFIXES",
    "Isolation",
    "Limits",
    "Scan",
    "Source",
    "digest_of",
    "isolate",
    "item_id",
    "items_of",
    "kind_of",
    "open_content",
    "open_query",
    "passages",
    "scan",
]
