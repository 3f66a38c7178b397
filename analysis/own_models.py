"""Which models are a judge's own? Those of its family, as told, or as their names say."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

FAMILIES: Mapping[str, tuple[str, ...]] = {
    "gpt": ("gpt", "chatgpt", "openai", "davinci", "o1", "o3", "o4"), "claude": ("claude", "anthropic"),
    "gemini": ("gemini", "gemma", "palm", "palm2", "bard"), "llama": ("llama", "llama2", "llama3"),
    "mistral": ("mistral", "mixtral"), "qwen": ("qwen", "qwq"), "deepseek": ("deepseek",),
    "command": ("command", "cohere", "aya"), "vicuna": ("vicuna",), "alpaca": ("alpaca",), "falcon": ("falcon",),
    "yi": ("yi",), "phi": ("phi",), "grok": ("grok",), "nova": ("nova",), "glm": ("glm", "chatglm"),
    "wizardlm": ("wizardlm",), "koala": ("koala",), "dolly": ("dolly",), "mpt": ("mpt",), "baichuan": ("baichuan",),
    "internlm": ("internlm",), "olmo": ("olmo", "tulu"),
}  # fmt: skip
"""Words of a name that tell the family."""

ELSEWHERE = {"cerebras", "neo", "neox", "neoxt", "j", "jt", "gptj", "gpt4all", "bloomz", "sw3"}
"""Words of names in which gpt is the kind of network, not the family."""


@dataclass(frozen=True)
class Own:
    """One model of a judge's own. because : of an option, an attribute, or its name"""

    judge: str
    model: str
    because: str


def family_of(name: str) -> str | None:
    """The first family that a name's words tell; digits at the end of a word do not count."""
    parts = re.split(r"[^a-z0-9]+", name.casefold())
    elsewhere = not ELSEWHERE.isdisjoint(parts)
    for word in parts:
        bare = word.rstrip("0123456789")
        for family, known in FAMILIES.items():
            if family == "gpt" and elsewhere:
                continue
            if word in known or bare in known:
                return family
    return None


def find_own(
    judges: Mapping[str, str | None], models: Mapping[str, str | None], told: Mapping[str, Sequence[str]],
    kept: Mapping[str, Sequence[str]] | None = None,
) -> list[Own]:  # fmt: skip
    """The own models of each judge, in the order of `models`.

    judges, models : name -> family as an attribute gives it, or None; told : judge -> its models, which then are all
    kept : the same as the dataset has it, for judges not told
    """
    kept = kept or {}
    out = []
    for judge, family in judges.items():
        if judge in told:
            out += [Own(judge, model, "as told") for model in models if model in told[judge]]
            continue
        if judge in kept:
            out += [Own(judge, model, "as the dataset says") for model in models if model in kept[judge]]
            continue
        mine = family if family is not None else family_of(judge)
        for model, given in models.items():
            theirs = given if given is not None else family_of(model)
            if mine is not None and theirs is not None and mine.casefold() == theirs.casefold():
                by_name = family is None or given is None
                out.append(Own(judge, model, "guessed from the names" if by_name else "attribute family"))
    return out
