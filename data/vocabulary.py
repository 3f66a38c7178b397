"""What are the fields of a judgment called, here and elsewhere, and which words for verdicts are understood?"""

from __future__ import annotations

import re

FIELDS: dict[str, str] = {
    "prompt": "the task that both responses answer",
    "prompt_id": "the file's own id of the prompt",
    "scenario": "the kind of task the prompt is",
    "model_a": "who wrote response a",
    "model_b": "who wrote response b",
    "response_a": "the text of response a",
    "response_b": "the text of response b",
    "judge": "who judged: people, an LLM, a reward model",
    "judge_kind": "human, llm, reward_model or rule",
    "annotator": "the single person (or run) inside the judge",
    "winner": "a, b, tie, both_bad, refused, or the winning model's name",
    "p_a": "how much a is preferred, from 0 to 1",
    "score_a": "the judge's score for response a",
    "score_b": "the judge's score for response b",
    "count_a": "how many votes went to a",
    "count_b": "how many votes went to b",
    "count_tie": "how many votes were ties",
    "chosen": "the text that won",
    "rejected": "the text that lost",
    "swapped": "true when b was shown first",
    "pair_id": "the file's own id of the pair",
    "judgment_id": "the file's own id of the judgment",
    "repeat": "1, 2, ...: the judge was asked again",
    "criterion": "what was asked (default overall)",
    "variant": "circumstances of the judgment (default plain)",
    "weight": "weight of the judgment in fits (default 1)",
    "reason": "why, in the judge's words",
    "confidence": "how sure the judge said to be",
    "seconds": "how long the judgment took",
    "judged_at": "when it was given",
    "cue": "a or b: the side a perturbation speaks for",
}

# Names that such columns carry elsewhere. For suggestions only, never for silent mapping.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "prompt": ("question", "instruction", "query", "input", "task", "user_prompt", "frage", "conversation"),
    "prompt_id": ("question_id", "instruction_id", "query_id", "task_id"),
    "scenario": ("category", "domain", "task_type", "type", "topic", "dataset"),
    "model_a": ("model_1", "model1", "generator_1", "left_model", "model_x", "modell_a", "model_left", "system_a"),
    "model_b": ("model_2", "model2", "generator_2", "right_model", "model_y", "modell_b", "model_right", "system_b"),
    "response_a": (
        "answer_a", "answer_1", "answer1", "output_1", "output_a", "response_1", "response1", "completion_a",
        "antwort_a", "text_a", "result_x", "left", "reply_a",
    ),
    "response_b": (
        "answer_b", "answer_2", "answer2", "output_2", "output_b", "response_2", "response2", "completion_b",
        "antwort_b", "text_b", "result_y", "right", "reply_b",
    ),
    "judge": ("evaluator", "grader", "rater", "source", "judge_name", "judge_model", "annotator_name", "richter"),
    "annotator": ("worker", "worker_id", "annotator_id", "rater_id", "user", "user_id", "participant"),
    "winner": ("preference", "label", "verdict", "choice", "vote", "preferred", "result", "gewinner", "better"),
    "p_a": ("prob_a", "probability_a", "p1", "soft_label", "p_first"),
    "score_a": ("reward_a", "score_1", "rating_a", "score_chosen", "reward_chosen"),
    "score_b": ("reward_b", "score_2", "rating_b", "score_rejected", "reward_rejected"),
    "count_a": ("votes_a", "wins_a", "n_a"),
    "count_b": ("votes_b", "wins_b", "n_b"),
    "count_tie": ("votes_tie", "ties", "n_tie"),
    "chosen": ("preferred_response", "accepted"),
    "rejected": ("dispreferred_response",),
    "swapped": ("is_swapped", "flipped", "swap"),
    "pair_id": ("comparison_id", "item_id", "example_id", "id", "idx"),
    "judged_at": ("timestamp", "date", "time", "created_at", "tstamp"),
    "seconds": ("duration", "response_time", "elapsed"),
    "reason": ("rationale", "explanation", "comment", "justification"),
}  # fmt: skip

WINNER_WORDS: dict[str, str] = {
    "a": "a", "1": "a", "left": "a", "model_a": "a", "model a": "a", "response_a": "a", "response a": "a",
    "b": "b", "2": "b", "right": "b", "model_b": "b", "model b": "b", "response_b": "b", "response b": "b",
    "a>b": "a", "a > b": "a", "a>>b": "a", "b<a": "a", "b>a": "b", "b > a": "b", "b>>a": "b", "a<b": "b", "a=b": "tie",
    "a = b": "tie", "b=a": "tie", "[[a]]": "a", "[[b]]": "b", "response_1": "a", "response 1": "a", "response_2": "b",
    "response 2": "b", "output_1": "a", "output 1": "a", "output_2": "b", "output 2": "b", "answer_a": "a",
    "answer a": "a", "answer_b": "b", "answer b": "b",
    "tie": "tie", "draw": "tie", "tied": "tie",
    "both_bad": "both_bad", "both bad": "both_bad", "bothbad": "both_bad", "tie (bothbad)": "both_bad",
    "none": "none", "refused": "none", "refusal": "none", "invalid": "none", "abstain": "none",
    "abstained": "none",
}  # fmt: skip


def canonical(name: str) -> str:
    """A column name as a field would be spelt: lower case, blanks, hyphens and dots as underscores."""
    return re.sub(r"[\s\-.]+", "_", name.strip()).lower()
