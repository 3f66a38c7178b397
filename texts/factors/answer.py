"""How does a response stand to its prompt?"""

from __future__ import annotations

from texts.english import FUNCTION_WORDS
from texts.reading import Reading
from texts.registry import declare, factor


@factor(
    "prompt_overlap", label="Overlap with prompt", group="prompt", unit="share of words", version=1, high=1.0,
    of="answer", source="ROUGE-1 recall (Lin 2004) of the prompt's words",
)  # fmt: skip
def prompt_overlap(response: Reading, prompt: Reading) -> float:
    """Of the prompt's different words outside code, the share that the response uses too; English function words left
    out, each Chinese or Japanese character a word. A prompt without such words has 0; one without text leaves it
    missing."""
    asked = set(prompt.words.text) - FUNCTION_WORDS
    return len(asked.intersection(response.words.text)) / len(asked) if asked else 0.0


@factor(
    "other_language", label="Other language than prompt", group="prompt", unit="flag", version=1, high=1.0,
    of="answer", source="py3langid (after Lui and Baldwin 2012), among 54 widely used languages",
)  # fmt: skip
def other_language(response: Reading, prompt: Reading) -> float:
    """1 where response and prompt are in different languages, else 0; also 0 where either is too short to tell (fewer
    than 20 letters outside code, or a probability below .8). A prompt without text leaves it missing."""
    there, asked = response.language, prompt.language
    return float(there is not None and asked is not None and there != asked)


declare(
    "prompt_similarity", label="Closeness to prompt", group="prompt", unit="cosine", version=1, low=-1.0, high=1.0,
    source="sentence embeddings (Reimers and Gurevych 2019)",
    definition="Cosine between the meanings of the response and of its prompt, each as the embedding model's vector; "
    "the model reads the beginning of a long text only. A prompt without text leaves it missing.",
)  # fmt: skip
