"""Is a judge of this name people, an LLM, a reward model or a rule, as far as a name can tell?"""

from __future__ import annotations

import re
from dataclasses import dataclass

from data.recognise.names import speak, words_of
from data.recognise.verdict_words import ASK, GUESS, SURE

_HUMAN = {"human", "humans", "people", "crowd", "expert", "experts", "annotator", "annotators", "mensch",
          "menschen", "humano", "humanos",
          "humain", "humains", "umano", "人", "人类", "专家", "人間"}  # fmt: skip
_LIKELY_HUMAN = {"rater", "raters", "worker", "turker", "participant", "coder", "labeler", "labeller", "student",
                 "reviewer", "user", "volunteer", "bewerter", "teilnehmer", "anotador", "annotateur", "author",
                 "标注者", "标注员"}  # fmt: skip
_SURELY_LLM = re.compile(r"gpt|llama|gemini|mistral|mixtral|qwen|deepseek|vicuna|(claude|gemma)[\W_]*\d", re.IGNORECASE)
# Claude, Gemma and Nova are first names as well.
_LLM = re.compile(
    _SURELY_LLM.pattern + r"|\b(claude|gemma|bard|palm|command|phi|yi|glm|grok|nova|kimi|ernie|o[134]|sonnet|opus)"
    r"([\W_\d]|$)|alpaca|falcon|prometheus|pandalm|auto-?j|olmo|minimax|doubao|(?<![a-z])llm(?![a-z])|chatbot|davinci",
    re.IGNORECASE,
)
_REWARD = re.compile(r"reward|armorm|skywork|starling-rm|\brm\b|[-_]rm[-_]|[-_]rm$", re.IGNORECASE)
_RULE = {"gold", "golden", "rule", "longer", "length", "heuristic", "random", "ground truth", "groundtruth"}


@dataclass(frozen=True)
class Judge:
    """One judge, as recognised. column : the column of its verdicts, None where a column names the judges

    kind : human, llm, reward_model, rule; None where a name does not tell (confidence `ask`)
    """

    name: str
    column: str | None
    kind: str | None
    confidence: str
    why: str


def judge_of(name: str, column: str | None = None) -> Judge:
    """What the name of a judge tells of its kind."""
    words = words_of(name)
    text = " ".join(words)
    if _HUMAN & set(words):
        return Judge(name, column, "human", SURE, "the name speaks of people")
    if _REWARD.search(name):
        return Judge(name, column, "reward_model", GUESS, "the name speaks of a reward model")
    if _LLM.search(name):
        confidence = SURE if _SURELY_LLM.search(name) else GUESS
        return Judge(name, column, "llm", confidence, "the name speaks of a language model")
    if text in _RULE or (words and words[0] == "gold"):
        return Judge(name, column, "rule", GUESS, "the name speaks of given labels or a rule")
    said = speak(name)
    if _LIKELY_HUMAN & set(words) or said.concept in ("annotator", "rater"):
        return Judge(name, column, "human", GUESS, "raters and annotators are mostly people")
    return Judge(name, column, None, ASK, "the name does not say whether it is a person or a model")


def are_models(names: tuple[str, ...]) -> bool:
    """Whether these are judges and no people alone: most are names of language models, or one surely is."""
    if any(_SURELY_LLM.search(name) for name in names):
        return True
    return bool(names) and 2 * sum(_LLM.search(n) is not None for n in names) >= len(names)
