"""Overview: does the judge prefer what people prefer, how sure is that, and what should be distrusted?"""

from ui import kept, overview, selection
from ui.weights_alone import weights_alone

seen = selection.current()
overview.title(seen)
weights_alone(seen)
overview.sample_banner(seen)
found = overview.finding(seen)
overview.tiles(seen, found)
if found.results:
    overview.two_columns(seen, found)
    overview.why(seen)
else:
    overview.why(seen)
    overview.what_to_distrust(seen, found)
kept.listing(seen)
overview.who_judged_what()
