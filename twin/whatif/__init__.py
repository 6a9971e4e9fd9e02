"""What if: other policies from a live state on, compared over the next hours.

`choices` reads what is to be tried, `switching` hands a live state over to it, `future` draws anew what has
not happened yet, `frozen` leaves models still, `branches` runs, `result` judges.
"""

from twin.whatif.branches import Question, what_if
from twin.whatif.choices import Choice, read_choice
from twin.whatif.future import future_seed
from twin.whatif.result import WhatIf
from twin.whatif.switching import Change, switched

__all__ = ["Change", "Choice", "Question", "WhatIf", "future_seed", "read_choice", "switched", "what_if"]
