"""What does the name of a foreign column speak of: a prompt, an answer, a verdict - and of which side?

A name is folded (case, accents, camel case, digits apart) into words; a word or phrase of CONCEPTS says what it is, a
word of SIDES which of two (or, as a number, of several). English, German, Spanish, French, Italian, Portuguese, Chinese
and Japanese. Names only raise a suspicion: data/recognise.py holds it against what stands in the column.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

CONCEPTS: dict[str, tuple[str, ...]] = {
    "prompt": (
        "prompt", "question", "instruction", "query", "input", "task", "user prompt", "user query", "user question",
        "user input", "problem", "request", "conversation", "dialogue", "context", "source text", "goal",
        "instructions",
        "frage", "aufgabe", "anweisung", "eingabe", "anfrage",
        "pregunta", "instruccion", "consigna", "consulta", "tarea", "entrada", "consigne", "invite", "requete", "tache",
        "domanda", "richiesta", "istruzione", "pergunta", "instrucao",
        "提示", "提示词", "问题", "指令", "题目", "用户问题", "質問", "プロンプト", "指示",
    ),
    "response": (
        "response", "answer", "output", "completion", "reply", "generation", "text", "candidate", "summary",
        "resp", "ans", "out", "hypothesis",
        "translation", "assistant", "continuation", "solution", "result text", "model output", "model response",
        "antwort", "ausgabe", "text der antwort", "respuesta", "salida", "reponse", "sortie", "risposta", "uscita",
        "resposta", "saida", "回答", "回复", "答案", "响应", "输出", "応答", "出力",
    ),
    "model": (
        "model", "generator", "system", "model name", "model id", "engine", "bot", "llm", "author", "policy",
        "generation model", "response model", "sys", "player", "contestant", "competitor", "agent", "checkpoint",
        "modell", "modellname", "modelo", "sistema", "modele", "systeme", "modello", "模型", "模型名", "系统", "モデル",
    ),
    "judge": (
        "judge", "evaluator", "grader", "judge name", "judge model", "evaluator model", "evaluator name", "assessor",
        "richter", "gutachter", "bewerter", "beurteiler", "juez", "evaluador", "juge", "evaluateur", "giudice",
        "valutatore", "juiz", "avaliador", "评委", "裁判", "评审", "评估者", "评判者", "審査員", "評価者",
    ),
    "judge_kind": ("judge kind", "judge type", "annotator type", "evaluator type"),
    "annotator": (
        "annotator", "worker", "worker id", "annotator id", "annotator name", "user", "user id", "participant",
        "participant id", "labeler", "labeller", "labeler id", "coder", "turker", "crowdworker", "person", "reviewer",
        "reviewer id", "subject id", "prolific id", "annotatorin", "teilnehmer", "person id",
        "anotador", "participante", "annotateur", "annotatrice", "annotatore", "partecipante",
        "标注者", "标注员", "标注人", "アノテーター",
    ),
    "rater": (
        "rater", "rater id", "rater name", "evaluator id", "judge id", "grader id", "tester", "tester id",
        "rated by", "judged by", "evaluated by", "labeled by", "labelled by", "annotated by", "graded by", "scored by",
        "bewertet von", "beurteilt von", "testperson", "prufer",
    ),
    "winner": (
        "winner", "preference", "pref", "verdict", "choice", "vote", "preferred", "better", "judgment", "judgement",
        "decision",
        "label", "result", "pick", "selected", "selection", "winning model", "overall preference", "better response",
        "better answer", "preferred response", "preferred answer", "preferred output", "comparison result", "outcome",
        "best", "best response", "annotation",
        "gewinner", "sieger", "urteil", "praferenz", "bevorzugt", "bevorzugte antwort", "bessere antwort", "besser",
        "entscheidung", "wahl",
        "ganador", "preferencia", "veredicto", "mejor", "mejor respuesta", "eleccion", "preferida",
        "gagnant", "vainqueur", "choix", "meilleure reponse", "meilleur", "preferee",
        "vincitore", "preferenza", "scelta", "giudizio", "migliore", "vencedor", "melhor", "escolha",
        "胜者", "赢家", "获胜者", "偏好", "结果", "判断", "判定", "选择", "更好的回答", "勝者", "選好",
    ),
    "p": ("p", "prob", "probability", "soft label", "p first", "win probability", "preference probability"),
    "score": (
        "score", "rating", "reward", "grade", "points", "stars", "overall score", "quality", "overall rating",
        "reward score", "rm score", "utility", "quality score", "overall",
        "punkte", "punktzahl", "bewertung", "wertung", "note", "puntuacion", "calificacion", "nota", "valoracion",
        "puntaje", "evaluation", "punteggio", "voto", "pontuacao", "avaliacao", "评分", "得分", "分数", "打分",
        "点数", "評点", "スコア",
    ),
    "rank": ("rank", "place", "rang", "platz", "platzierung", "puesto", "posizione", "rango", "名次", "排名", "順位"),
    "ranking": (
        "ranking", "order of preference", "preference order", "ranked", "rangfolge", "reihenfolge", "clasificacion",
        "classement", "classifica", "orden", "排序", "偏好排序",
    ),
    "count": (
        "count", "votes", "wins", "n votes", "num votes", "number of votes", "vote count", "n", "n wins",
        "preferred by",
        "stimmen", "votos", "votes pour", "voti", "票数", "票",
    ),
    "swapped": ("swapped", "is swapped", "flipped", "is flipped", "swap", "shown swapped", "reversed", "vertauscht"),
    "scenario": (
        "scenario", "category", "domain", "task type", "topic", "type", "dataset", "task category", "subset", "genre",
        "kategorie", "thema", "szenario", "bereich", "categoria", "categorie", "tema", "theme", "domaine", "dominio",
        "类别", "领域", "场景", "类型", "カテゴリ", "分野",
    ),
    "criterion": ("criterion", "aspect", "dimension", "criteria", "kriterium", "aspekt", "criterio", "critere",
        "维度", "标准"),
    "variant": ("variant", "condition", "perturbation", "variante"),
    "repeat": ("repeat", "repetition", "run", "trial", "wiederholung", "repeticion"),
    "weight": ("weight", "gewicht", "peso", "poids", "权重"),
    "reason": (
        "reason", "rationale", "explanation", "comment", "justification", "critique", "comments", "reasoning",
        "begrundung", "kommentar", "erklarung", "razon", "explicacion", "comentario", "justificacion",
        "raison", "commentaire", "explication", "motivo", "spiegazione", "理由", "原因", "解释", "评论", "コメント",
    ),
    "confidence": ("confidence", "certainty", "sicherheit", "confianza", "confiance", "confidenza", "置信度", "信心"),
    "seconds": ("seconds", "duration", "response time", "elapsed", "time spent", "duration seconds", "dauer",
        "sekunden"),
    "judged_at": (
        "judged at", "timestamp", "date", "time", "created at", "tstamp", "datetime", "submitted at", "datum",
        "zeitstempel", "zeitpunkt", "fecha", "horodatage", "data", "时间", "日期", "日時",
    ),
    "pair_id": ("pair id", "comparison id", "item id", "example id", "sample id", "battle id", "pair"),
    "prompt_id": (
        "prompt id", "question id", "instruction id", "query id", "task id", "problem id", "qid", "frage id",
        "pregunta id", "题号",
    ),
    "judgment_id": ("judgment id", "judgement id", "annotation id", "vote id", "row id", "rating id"),
    "chosen": ("chosen", "accepted", "preferred text", "chosen response", "chosen answer", "winner text"),
    "rejected": ("rejected", "dispreferred", "rejected response", "rejected answer", "loser text",
        "dispreferred response", "worse", "worse response", "worse answer", "losing response"),
    "index": ("id", "idx", "index", "uid", "uuid", "nr", "no", "row", "key", "nummer", "编号", "序号"),
}  # fmt: skip

SIDES: dict[str, str] = {
    "a": "a", "b": "b", "left": "left", "right": "right", "first": "first", "second": "second", "x": "x", "y": "y",
    "links": "left", "rechts": "right", "linke": "left", "rechte": "right", "erste": "first", "zweite": "second",
    "izquierda": "left", "derecha": "right", "primera": "first", "segunda": "second", "primero": "first",
    "segundo": "second", "gauche": "left", "droite": "right", "premiere": "first", "deuxieme": "second",
    "premier": "first", "seconde": "second", "sinistra": "left", "destra": "right", "esquerda": "left",
    "direita": "right", "甲": "a", "乙": "b", "左": "left", "右": "right", "一": "1", "二": "2", "one": "1", "two": "2",
    "c": "c", "d": "d", "e": "e", "f": "f", "g": "g", "h": "h", "chosen": "chosen", "rejected": "rejected",
    "tie": "tie", "ties": "tie", "draw": "tie", "draws": "tie",
    "unentschieden": "tie", "empate": "tie", "empates": "tie", "egalite": "tie", "pareggio": "tie", "平局": "tie",
    "平手": "tie",
}  # fmt: skip

PAIRS: tuple[tuple[str, str], ...] = (
    ("a", "b"), ("1", "2"), ("0", "1"), ("left", "right"), ("first", "second"), ("x", "y"), ("chosen", "rejected"),
)  # fmt: skip
"""Words of two sides, response a first."""

_FILLERS = {"the", "of", "for", "by", "der", "die", "das", "de", "la", "le", "el", "du", "von", "to", "is",
            "text", "name", "id"}
_PHRASES = {phrase: concept for concept, phrases in CONCEPTS.items() for phrase in phrases}
# Columns of one value a row are called in the plural too.
_PHRASES |= {f"{phrase}s": concept for phrase, concept in _PHRASES.items() if f"{phrase}s" not in _PHRASES}
_CJK = r"\u3040-\u30ff\u4e00-\u9fff"
# Of the concepts that single words of a longer name speak of, the first here counts: "model_a_score" is a score.
_STRONGEST = (
    "chosen", "rejected", "p", "count", "score", "rank", "ranking", "winner", "reason", "confidence", "seconds",
    "response",
    "swapped", "scenario", "annotator", "rater", "judge", "model", "prompt",
)  # fmt: skip


@dataclass(frozen=True)
class Spoken:
    """What a name says. concept : key of CONCEPTS; side : value of SIDES, or a number as text; rest : other words

    exact : nothing but the concept (and the side) stands in the name
    """

    concept: str | None
    side: str | None
    exact: bool
    rest: tuple[str, ...] = ()


def words_of(name: str) -> list[str]:
    """The words of a column name, folded: `AntwortA2` -> antwort, a, 2."""
    text = re.sub(r"(?<=[a-zà-ÿ])(?=[A-Z])", " ", name.strip())
    text = unicodedata.normalize("NFKC", text).casefold()
    # Accents go, but not the marks that make another kana.
    kept = [c for c in unicodedata.normalize("NFKD", text) if not ("\u0300" <= c <= "\u036f")]
    text = unicodedata.normalize("NFC", "".join(kept))
    text = re.sub(rf"(?<=[{_CJK}])(?=[a-z0-9])|(?<=[a-z0-9])(?=[{_CJK}])", " ", text)
    text = re.sub(r"(?<=[a-z])(?=\d)|(?<=\d)(?=[a-z])", " ", text)
    text = re.sub(rf"(?<=[{_CJK}])(?=[甲乙一二左右]$)", " ", text)
    return re.findall(rf"[a-z0-9{_CJK}]+|[^\W_]+", text)


def speak(name: str) -> Spoken:
    """What a column name says; concept and side None where it says none."""
    words = words_of(name)
    whole = " ".join(words)
    if whole in _PHRASES:
        side = words[0] if words[0] in ("chosen", "rejected") else None
        return Spoken(_PHRASES[whole], side, True)
    at = [k for k, word in enumerate(words) if word in SIDES or word.isdigit()]
    for k in reversed(at):
        others = [*words[:k], *words[k + 1 :]]
        phrase = " ".join(others)
        bare = " ".join(w for w in others if w not in _FILLERS)
        for text in (phrase, bare):
            if text in _PHRASES:
                return Spoken(_PHRASES[text], SIDES.get(words[k], words[k]), True)
    side = SIDES.get(words[at[-1]], words[at[-1]]) if at else None
    rest = [word for k, word in enumerate(words) if not at or k != at[-1]]
    bare = " ".join(word for word in rest if word not in _FILLERS)
    if bare in _PHRASES and not at:
        return Spoken(_PHRASES[bare], None, True)
    for size in (3, 2, 1):
        found: dict[str, tuple[str, ...]] = {}
        for k in range(len(rest) - size + 1):
            concept = _PHRASES.get(" ".join(rest[k : k + size]))
            if concept is not None:
                found[concept] = (*rest[:k], *rest[k + size :])
        for concept in (*_STRONGEST, *found):
            if concept in found:
                return Spoken(concept, side, False, found[concept])
    return Spoken(None, side, False, tuple(rest))
