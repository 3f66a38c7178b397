"""Which pairs, responses and judges do staged judgments belong to, and which of them are new?

Runs inside the store's write transaction on temporary tables `s_row`, `s_text`, `s_factor`, `s_attribute` (the
staged tables, see data/normalise.py). Rows that contradict what the dataset holds are marked, not written; the
caller commits or rolls back. Rules: identity of prompts, responses, pairs and judgments as in docs/store.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from data.model import Progress, silent
from errors import OptionError


@dataclass(frozen=True)
class Ingested:
    """What one import added. Rejected rows are in the temporary table `marked` (row, cell, field, value, reason)."""

    dataset_id: int
    import_id: int
    number: int
    accepted: int
    duplicates: int
    inferred: tuple[str, ...]


def find_dataset(con: duckdb.DuckDBPyConnection, name: str) -> int | None:
    rows = con.execute("SELECT dataset_id FROM dataset WHERE name = $name", {"name": name}).fetchall()
    return rows[0][0] if rows else None


def add_dataset(con: duckdb.DuckDBPyConnection, name: str, simulated: bool = False) -> int:
    """The id of the dataset called `name`, created when there is none."""
    if not name.strip():
        raise OptionError("a dataset needs a name: --dataset NAME")
    found = find_dataset(con, name)
    if found is not None:
        return found
    new_id = _next(con, "dataset", "dataset_id")
    con.execute("INSERT INTO dataset VALUES ($id, $name, $simulated, now()::TIMESTAMP)",
                {"id": new_id, "name": name, "simulated": simulated})  # fmt: skip
    return new_id


def _next(con: duckdb.DuckDBPyConnection, table: str, column: str) -> int:
    return int(con.execute(f"SELECT coalesce(max({column}), 0) + 1 FROM {table}").fetchall()[0][0])


def ingest(
    con: duckdb.DuckDBPyConnection, dataset_id: int, progress: Progress = silent
) -> Ingested:
    """Write the staged rows. See Ingested."""
    import_id = _next(con, "import_log", "import_id")
    number = con.execute(
        "SELECT coalesce(max(number), 0) + 1 FROM import_log WHERE dataset_id = $d", {"d": dataset_id}
    ).fetchall()[0][0]
    step = _Step(con, dataset_id, import_id)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE marked (row BIGINT, cell BIGINT, field VARCHAR, value VARCHAR, reason VARCHAR)"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE good AS SELECT * EXCLUDE (bad_field, bad_value, bad_reason, winner_column) "
        "FROM s_row WHERE bad_reason IS NULL"
    )
    progress(0.05, "matching judges and models")
    step.names()
    progress(0.15, "storing texts")
    step.texts()
    progress(0.35, "matching prompts")
    step.prompts()
    progress(0.45, "matching responses")
    step.responses()
    progress(0.6, "matching pairs")
    step.pairs()
    progress(0.75, "looking for duplicates")
    accepted, duplicates = step.judgments()
    progress(0.85, "storing factors and attributes")
    step.factors()
    step.attributes()
    progress(0.95, "fingerprinting")
    step.fingerprint()
    if duplicates or con.execute("SELECT count(*) FROM marked").fetchall()[0][0]:
        prune(con, dataset_id)
    return Ingested(dataset_id, import_id, number, accepted, duplicates, tuple(step.inferred))


class _Step:
    """The stages of one import, in order; each leaves temporary tables for the next."""

    def __init__(self, con: duckdb.DuckDBPyConnection, dataset_id: int, import_id: int) -> None:
        self.con = con
        self.d = dataset_id
        self.i = import_id
        self.inferred: list[str] = []

    def run(self, sql: str) -> None:
        self.con.execute(sql.replace("$d", str(self.d)).replace("$i", str(self.i)))

    def count(self, sql: str) -> int:
        return int(self.con.execute(sql.replace("$d", str(self.d)).replace("$i", str(self.i))).fetchall()[0][0])

    def mark(self, select: str) -> None:
        """Mark the rows of `select` (row, cell, field, value, reason) as rejected and drop them from `good`."""
        self.con.execute("CREATE OR REPLACE TEMP TABLE newly AS " + select.replace("$d", str(self.d)))
        if self.count("SELECT count(*) FROM newly"):
            self.run(
                "INSERT INTO marked SELECT * FROM newly;"
                "DELETE FROM good WHERE (row, cell) IN (SELECT (row, cell) FROM newly)"
            )

    def names(self) -> None:
        # The first kind a judge is given holds; a row that says another contradicts it.
        self.run(
            """CREATE OR REPLACE TEMP TABLE judge_kind AS
            SELECT name, kind FROM judge WHERE dataset_id = $d UNION ALL
            SELECT judge, coalesce(arg_min(kind, row) FILTER (kind_given), arg_min(kind, row)) FROM good
            WHERE judge NOT IN (SELECT name FROM judge WHERE dataset_id = $d) GROUP BY judge"""
        )
        self.mark(
            """SELECT g.row, g.cell, 'judge_kind', g.kind, 'contradicts what this judge already is: ' || k.kind
            FROM good g JOIN judge_kind k ON k.name = g.judge WHERE g.kind_given AND g.kind <> k.kind"""
        )
        for table, source in (
            ("scenario", "SELECT scenario AS name, row FROM good"),
            ("model", "SELECT model_a AS name, row * 2 AS row FROM good UNION ALL SELECT model_b, row * 2 + 1 FROM good"),
            ("criterion", "SELECT criterion AS name, row FROM good"),
            ("variant", "SELECT variant AS name, row FROM good"),
        ):  # fmt: skip
            self.run(
                f"""INSERT INTO {table} SELECT (SELECT coalesce(max({table}_id), 0) FROM {table})
                    + row_number() OVER (ORDER BY first), $d, name
                FROM (SELECT name, min(row) AS first FROM ({source}) WHERE name IS NOT NULL GROUP BY name) n
                WHERE NOT EXISTS (SELECT 1 FROM {table} t WHERE t.dataset_id = $d AND t.name = n.name)"""
            )
        self.run(
            """INSERT INTO judge SELECT (SELECT coalesce(max(judge_id), 0) FROM judge)
                + row_number() OVER (ORDER BY first, judge), $d, judge, k.kind
            FROM (SELECT judge, min(row * 1000 + least(cell, 999)) AS first FROM good GROUP BY judge) n
            JOIN judge_kind k ON k.name = n.judge
            WHERE NOT EXISTS (SELECT 1 FROM judge t WHERE t.dataset_id = $d AND t.name = n.judge);
            INSERT INTO annotator SELECT (SELECT coalesce(max(annotator_id), 0) FROM annotator)
                + row_number() OVER (ORDER BY first, n.annotator), $d, j.judge_id, n.annotator
            FROM (SELECT judge, annotator, min(row) AS first FROM good WHERE annotator IS NOT NULL GROUP BY ALL) n
            JOIN judge j ON j.dataset_id = $d AND j.name = n.judge
            WHERE NOT EXISTS (SELECT 1 FROM annotator t WHERE t.judge_id = j.judge_id AND t.name = n.annotator)"""
        )
        self.run(
            """CREATE OR REPLACE TEMP TABLE r1 AS
            SELECT g.* EXCLUDE (judge, kind, kind_given, annotator, criterion, variant, scenario, model_a, model_b),
                j.judge_id, j.kind, an.annotator_id, c.criterion_id, v.variant_id, s.scenario_id,
                ma.model_id AS model_a, mb.model_id AS model_b
            FROM good g JOIN judge j ON j.dataset_id = $d AND j.name = g.judge
            LEFT JOIN annotator an ON an.judge_id = j.judge_id AND an.name = g.annotator
            JOIN criterion c ON c.dataset_id = $d AND c.name = g.criterion
            JOIN variant v ON v.dataset_id = $d AND v.name = g.variant
            LEFT JOIN scenario s ON s.dataset_id = $d AND s.name = g.scenario
            LEFT JOIN model ma ON ma.dataset_id = $d AND ma.name = g.model_a
            LEFT JOIN model mb ON mb.dataset_id = $d AND mb.name = g.model_b"""
        )

    def texts(self) -> None:
        self.run(
            """CREATE OR REPLACE TEMP TABLE used_key AS SELECT DISTINCT key FROM (
                SELECT prompt_key AS key FROM r1 UNION ALL SELECT text_a FROM r1 UNION ALL SELECT text_b FROM r1)
            WHERE key IS NOT NULL;
            INSERT INTO text SELECT (SELECT coalesce(max(text_id), 0) FROM text) + row_number() OVER (), key, body
            FROM s_text WHERE key IN (SELECT key FROM used_key) AND key NOT IN (SELECT hash FROM text);
            CREATE OR REPLACE TEMP TABLE text_of AS
            SELECT hash AS key, text_id FROM text WHERE hash IN (SELECT key FROM used_key);
            CREATE OR REPLACE TEMP TABLE r2 AS
            SELECT r1.* EXCLUDE (prompt_key, text_a, text_b), tp.text_id AS prompt_text, ta.text_id AS text_a,
                tb.text_id AS text_b
            FROM r1 LEFT JOIN text_of tp ON tp.key = r1.prompt_key
            LEFT JOIN text_of ta ON ta.key = r1.text_a LEFT JOIN text_of tb ON tb.key = r1.text_b;
            DROP TABLE r1"""
        )

    def prompts(self) -> None:
        """A prompt is its external id where one is given, else its text."""
        self.mark_rows(
            "r2",
            """WITH known AS (SELECT external_id, text_id AS t, -1 AS row FROM prompt
                    WHERE dataset_id = $d AND external_id IS NOT NULL AND text_id IS NOT NULL
                UNION ALL SELECT prompt_id, prompt_text, row FROM r2
                    WHERE prompt_id IS NOT NULL AND prompt_text IS NOT NULL),
                first AS (SELECT external_id, arg_min(t, row) AS t FROM known GROUP BY 1 HAVING count(DISTINCT t) > 1)
            SELECT r2.row, r2.cell, 'prompt_id', r2.prompt_id, 'already stands for another prompt text' FROM r2
            JOIN first ON first.external_id = r2.prompt_id WHERE r2.prompt_text <> first.t""",
        )
        self.run(
            """CREATE OR REPLACE TEMP TABLE asked AS SELECT prompt_id AS external_id, prompt_text AS text_id,
                min(row) AS first FROM r2 WHERE prompt_id IS NOT NULL OR prompt_text IS NOT NULL GROUP BY ALL;
            -- With an id: by id. A prompt that so far had no text gets it.
            CREATE OR REPLACE TEMP TABLE with_id AS SELECT external_id, max(text_id) AS text_id, min(first) AS first
            FROM asked WHERE external_id IS NOT NULL GROUP BY external_id;
            UPDATE prompt SET text_id = w.text_id FROM with_id w
            WHERE prompt.dataset_id = $d AND prompt.external_id = w.external_id AND prompt.text_id IS NULL
                AND w.text_id IS NOT NULL;
            -- A prompt known by text alone takes the id, when just one id claims that text.
            CREATE OR REPLACE TEMP TABLE claim AS SELECT text_id, min(external_id) AS external_id FROM with_id w
            WHERE text_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM prompt p WHERE p.dataset_id = $d
                AND p.external_id = w.external_id) GROUP BY text_id HAVING count(*) = 1;
            UPDATE prompt SET external_id = c.external_id FROM claim c
            WHERE prompt.dataset_id = $d AND prompt.external_id IS NULL AND prompt.text_id = c.text_id;
            INSERT INTO prompt SELECT (SELECT coalesce(max(prompt_id), 0) FROM prompt)
                + row_number() OVER (ORDER BY first), $d, external_id, text_id, NULL
            FROM with_id w WHERE NOT EXISTS (SELECT 1 FROM prompt p WHERE p.dataset_id = $d
                AND p.external_id = w.external_id)"""
        )
        # Without an id: by text, when the text names one prompt only.
        self.run(
            """CREATE OR REPLACE TEMP TABLE by_text AS SELECT text_id, count(*) AS n, min(prompt_id) AS prompt_id
            FROM prompt WHERE dataset_id = $d AND text_id IS NOT NULL GROUP BY text_id"""
        )
        self.mark_rows(
            "r2",
            """SELECT r2.row, r2.cell, 'prompt', NULL,
                'is the text of ' || n || ' prompts of this dataset: name the one meant by prompt_id'
            FROM r2 JOIN by_text t ON t.text_id = r2.prompt_text WHERE r2.prompt_id IS NULL AND t.n > 1""",
        )
        self.run(
            """INSERT INTO prompt SELECT (SELECT coalesce(max(prompt_id), 0) FROM prompt)
                + row_number() OVER (ORDER BY first), $d, NULL, text_id, NULL
            FROM asked a WHERE external_id IS NULL AND text_id NOT IN (SELECT text_id FROM by_text);
            CREATE OR REPLACE TEMP TABLE prompt_of AS
            SELECT a.external_id, a.text_id, p.prompt_id FROM asked a JOIN prompt p ON p.dataset_id = $d AND (
                p.external_id = a.external_id) WHERE a.external_id IS NOT NULL
            UNION ALL SELECT NULL, a.text_id, min(p.prompt_id) FROM asked a JOIN prompt p ON p.dataset_id = $d
                AND p.text_id = a.text_id WHERE a.external_id IS NULL GROUP BY a.text_id;
            CREATE OR REPLACE TEMP TABLE r3 AS SELECT r2.* EXCLUDE (prompt_id, prompt_text), p.prompt_id FROM r2
            LEFT JOIN prompt_of p ON p.external_id IS NOT DISTINCT FROM r2.prompt_id
                AND p.text_id IS NOT DISTINCT FROM r2.prompt_text;
            DROP TABLE r2;
            CREATE OR REPLACE TEMP TABLE claimed AS
            SELECT prompt_id, arg_min(scenario_id, row) AS scenario_id, count(DISTINCT scenario_id) AS n
            FROM r3 WHERE prompt_id IS NOT NULL AND scenario_id IS NOT NULL GROUP BY prompt_id;
            INSERT INTO prompt_scenario SELECT $d, prompt_id, scenario_id, $i FROM claimed"""
        )
        several = self.count("SELECT count(*) FROM claimed WHERE n > 1")
        if several:
            self.inferred.append(f"{several:,} prompts are given more than one scenario; the first was kept")
        other = self.count(
            "SELECT count(*) FROM claimed c JOIN prompt p USING (prompt_id) WHERE p.scenario_id <> c.scenario_id"
        )
        if other:
            self.inferred.append(f"{other:,} prompts had another scenario from an earlier import; that one was kept")
        assign_scenarios(self.con, self.d)

    def mark_rows(self, table: str, select: str) -> None:
        """As `mark`, for a later stage's table."""
        self.con.execute("CREATE OR REPLACE TEMP TABLE newly AS " + select.replace("$d", str(self.d)))
        if self.count("SELECT count(*) FROM newly"):
            self.run(
                "INSERT INTO marked SELECT * FROM newly;"
                f"DELETE FROM {table} WHERE (row, cell) IN (SELECT (row, cell) FROM newly)"
            )

    def responses(self) -> None:
        """A response is (prompt, model, text). One that was known without its text gets it, if there is just one."""
        self.run(
            """CREATE OR REPLACE TEMP TABLE given AS SELECT prompt_id, model_id, text_id, min(row) AS first FROM (
                SELECT prompt_id, model_a AS model_id, text_a AS text_id, row * 2 AS row FROM r3
                WHERE prompt_id IS NOT NULL AND NOT (text_a IS NULL AND text_b IS NULL)
                UNION ALL SELECT prompt_id, model_b, text_b, row * 2 + 1 FROM r3
                WHERE prompt_id IS NOT NULL AND NOT (text_a IS NULL AND text_b IS NULL)) GROUP BY ALL;
            CREATE OR REPLACE TEMP TABLE bare AS SELECT response_id, prompt_id, model_id FROM response r
            WHERE dataset_id = $d AND text_id IS NULL AND model_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM response o
                WHERE o.dataset_id = $d AND o.prompt_id = r.prompt_id AND o.model_id = r.model_id
                AND o.text_id IS NOT NULL)"""
        )
        if self.count("SELECT count(*) FROM bare"):
            self.run(
                """UPDATE response SET text_id = u.text_id FROM (
                    SELECT b.response_id, min(g.text_id) AS text_id FROM bare b JOIN given g USING (prompt_id, model_id)
                    WHERE g.text_id IS NOT NULL GROUP BY b.response_id HAVING count(*) = 1) u
                WHERE response.response_id = u.response_id"""
            )
        self.run(
            """INSERT INTO response SELECT (SELECT coalesce(max(response_id), 0) FROM response)
                + row_number() OVER (ORDER BY first), $d, prompt_id, model_id, text_id
            FROM given g WHERE NOT EXISTS (SELECT 1 FROM response r WHERE r.dataset_id = $d
                AND r.prompt_id = g.prompt_id AND r.model_id IS NOT DISTINCT FROM g.model_id
                AND r.text_id IS NOT DISTINCT FROM g.text_id);
            CREATE OR REPLACE TEMP TABLE response_of AS SELECT r.prompt_id, r.model_id, r.text_id, r.response_id
            FROM response r WHERE r.dataset_id = $d;
            CREATE OR REPLACE TEMP TABLE r4 AS SELECT r3.*, a.response_id AS response_a, b.response_id AS response_b
            FROM r3 LEFT JOIN response_of a ON a.prompt_id = r3.prompt_id AND a.model_id IS NOT DISTINCT FROM r3.model_a
                AND a.text_id IS NOT DISTINCT FROM r3.text_a AND NOT (r3.text_a IS NULL AND r3.text_b IS NULL)
            LEFT JOIN response_of b ON b.prompt_id = r3.prompt_id AND b.model_id IS NOT DISTINCT FROM r3.model_b
                AND b.text_id IS NOT DISTINCT FROM r3.text_b AND NOT (r3.text_a IS NULL AND r3.text_b IS NULL);
            DROP TABLE r3"""
        )

    def pairs(self) -> None:
        """Rows with texts make or find their pair; rows without join the one their id or models name."""
        self.run(
            """INSERT INTO pair SELECT (SELECT coalesce(max(pair_id), 0) FROM pair) + row_number() OVER (ORDER BY first),
                $d, prompt_id, response_a, response_b, model_a, model_b
            FROM (SELECT arg_min(prompt_id, row) AS prompt_id, arg_min(response_a, row) AS response_a,
                    arg_min(response_b, row) AS response_b, arg_min(model_a, row) AS model_a,
                    arg_min(model_b, row) AS model_b, min(row) AS first,
                    least(response_a, response_b) AS lo, greatest(response_a, response_b) AS hi
                  FROM r4 WHERE response_a IS NOT NULL AND response_b IS NOT NULL GROUP BY lo, hi) n
            WHERE NOT EXISTS (SELECT 1 FROM pair p WHERE p.dataset_id = $d
                AND least(p.response_a, p.response_b) = n.lo AND greatest(p.response_a, p.response_b) = n.hi);
            CREATE OR REPLACE TEMP TABLE direct AS SELECT r4.row, r4.cell, p.pair_id, r4.response_a <> p.response_a AS turned
            FROM r4 JOIN pair p ON p.dataset_id = $d AND least(p.response_a, p.response_b) = least(r4.response_a, r4.response_b)
                AND greatest(p.response_a, p.response_b) = greatest(r4.response_a, r4.response_b)"""
        )  # fmt: skip
        self._keyed_pairs()
        self._bare_pairs()
        # Winners written as a model's name on rows that named only the pair.
        self.run(
            """CREATE OR REPLACE TEMP TABLE r5 AS SELECT r4.* EXCLUDE (response_a, response_b, model_a, model_b, prompt_id),
                l.turned, p.pair_id AS pair, p.prompt_id, p.model_a, p.model_b, p.response_a, p.response_b
            FROM r4 JOIN linked l USING (row, cell) JOIN pair p ON p.pair_id = l.pair_id;
            DROP TABLE r4"""
        )
        self.mark_rows(
            "r5",
            """SELECT r.row, r.cell, 'winner', r.winner_name, 'is not one of a, b, tie, both_bad, refused, left, right, '
                || 'model_a, model_b, 1, 2 or a model of the pair'
            FROM r5 r LEFT JOIN model ma ON ma.model_id = r.model_a LEFT JOIN model mb ON mb.model_id = r.model_b
            WHERE r.outcome = -1 AND (r.winner_name = ma.name) IS NOT TRUE AND (r.winner_name = mb.name) IS NOT TRUE""",
        )
        self.run(
            """UPDATE r5 SET outcome = CASE WHEN m.name = r5.winner_name THEN 1 ELSE 2 END,
                p_a = CASE WHEN m.name = r5.winner_name THEN 1.0 ELSE 0.0 END, turned = false
            FROM model m WHERE r5.outcome = -1 AND m.model_id = r5.model_a"""
        )

    def _keyed_pairs(self) -> None:
        """`linked` for rows with texts, and pair ids checked against the pairs they stand for."""
        self.run(
            """CREATE OR REPLACE TEMP TABLE key_of AS
            SELECT external_id, arg_min(pair_id, row) AS pair_id FROM (
                SELECT external_id, pair_id, -1 AS row FROM pair_key WHERE dataset_id = $d
                UNION ALL SELECT r4.pair_id, d.pair_id, r4.row FROM r4 JOIN direct d USING (row, cell)
                WHERE r4.pair_id IS NOT NULL) GROUP BY external_id"""
        )
        self.mark_rows(
            "r4",
            """SELECT r4.row, r4.cell, 'pair_id', r4.pair_id, 'already stands for a pair of other texts' FROM r4
            JOIN direct d USING (row, cell) JOIN key_of k ON k.external_id = r4.pair_id WHERE k.pair_id <> d.pair_id""",
        )
        # Rows without texts whose id names a pair: their models, where given, must be that pair's.
        self.run(
            """CREATE OR REPLACE TEMP TABLE by_key AS SELECT r4.row, r4.cell, p.pair_id,
                coalesce(r4.model_a = p.model_b AND r4.model_b = p.model_a, false)
                    AND NOT coalesce(r4.model_a = p.model_a AND r4.model_b = p.model_b, false) AS turned,
                (r4.model_a IS NULL OR r4.model_a IN (p.model_a, p.model_b))
                    AND (r4.model_b IS NULL OR r4.model_b IN (p.model_a, p.model_b))
                    AND (r4.model_a IS DISTINCT FROM r4.model_b OR p.model_a IS NOT DISTINCT FROM p.model_b) AS fits,
                (r4.prompt_id IS NULL OR r4.prompt_id = p.prompt_id) AS same_prompt
            FROM r4 JOIN key_of k ON k.external_id = r4.pair_id JOIN pair p ON p.pair_id = k.pair_id
            WHERE r4.response_a IS NULL AND r4.response_b IS NULL"""
        )
        self.mark_rows(
            "r4",
            """SELECT r4.row, r4.cell, 'pair_id', r4.pair_id,
                'already stands for a pair of other models or of another prompt'
            FROM r4 JOIN by_key b USING (row, cell) WHERE b.fits IS NOT TRUE OR NOT b.same_prompt""",
        )
        self.mark_rows(
            "r4",
            """SELECT row, cell, 'pair_id', pair_id, 'names no pair of this dataset' FROM r4
            WHERE response_a IS NULL AND response_b IS NULL AND (prompt_id IS NULL OR model_a IS NULL OR model_b IS NULL)
                AND (row, cell) NOT IN (SELECT (row, cell) FROM by_key)""",
        )
        self.run(
            """CREATE OR REPLACE TEMP TABLE linked AS SELECT * FROM direct
            UNION ALL SELECT row, cell, pair_id, turned FROM by_key"""
        )

    def _bare_pairs(self) -> None:
        """Rows that give prompt and models but no texts: the one pair of those, or a new one without texts."""
        if not self.count(
            "SELECT count(*) FROM r4 WHERE response_a IS NULL AND response_b IS NULL "
            "AND (row, cell) NOT IN (SELECT (row, cell) FROM linked)"
        ):
            self._remember_keys()
            return
        self.run(
            """CREATE OR REPLACE TEMP TABLE bare_row AS SELECT r4.row, r4.cell, prompt_id, model_a, model_b, r4.pair_id
            FROM r4 WHERE response_a IS NULL AND response_b IS NULL
                AND (row, cell) NOT IN (SELECT (row, cell) FROM linked);
            CREATE OR REPLACE TEMP TABLE by_models AS SELECT prompt_id, least(model_a, model_b) AS lo,
                greatest(model_a, model_b) AS hi, count(*) AS n FROM pair WHERE dataset_id = $d
                AND model_a IS NOT NULL AND model_b IS NOT NULL GROUP BY ALL"""
        )
        self.mark_rows(
            "r4",
            """SELECT r.row, r.cell, 'model_a', m.name, 'and its opponent have ' || b.n
                || ' pairs under this prompt: name the one meant by pair_id'
            FROM bare_row r JOIN by_models b ON b.prompt_id = r.prompt_id AND b.lo = least(r.model_a, r.model_b)
                AND b.hi = greatest(r.model_a, r.model_b) JOIN model m ON m.model_id = r.model_a WHERE b.n > 1""",
        )
        self.mark_rows(
            "r4",
            """SELECT r.row, r.cell, 'model_b', m.name,
                'is the same model as model_a and no texts tell the two apart: no pair'
            FROM bare_row r JOIN model m ON m.model_id = r.model_b WHERE r.model_a = r.model_b
                AND NOT EXISTS (SELECT 1 FROM by_models b WHERE b.prompt_id = r.prompt_id AND b.lo = r.model_a
                    AND b.hi = r.model_a)""",
        )
        self.run(
            """CREATE OR REPLACE TEMP TABLE bare_new AS SELECT prompt_id, arg_min(model_a, row) AS model_a,
                arg_min(model_b, row) AS model_b, min(row) AS first FROM bare_row r
            WHERE (row, cell) IN (SELECT (row, cell) FROM r4) AND NOT EXISTS (SELECT 1 FROM by_models b
                WHERE b.prompt_id = r.prompt_id AND b.lo = least(r.model_a, r.model_b)
                AND b.hi = greatest(r.model_a, r.model_b))
            GROUP BY prompt_id, least(model_a, model_b), greatest(model_a, model_b);
            INSERT INTO response SELECT (SELECT coalesce(max(response_id), 0) FROM response)
                + row_number() OVER (ORDER BY first), $d, prompt_id, model_id, NULL
            FROM (SELECT prompt_id, model_id, min(first) AS first FROM (
                    SELECT prompt_id, model_a AS model_id, first * 2 AS first FROM bare_new
                    UNION ALL SELECT prompt_id, model_b, first * 2 + 1 FROM bare_new) GROUP BY ALL) n
            WHERE NOT EXISTS (SELECT 1 FROM response r WHERE r.dataset_id = $d AND r.prompt_id = n.prompt_id
                AND r.model_id = n.model_id AND r.text_id IS NULL);
            INSERT INTO pair SELECT (SELECT coalesce(max(pair_id), 0) FROM pair) + row_number() OVER (ORDER BY n.first),
                $d, n.prompt_id, a.response_id, b.response_id, n.model_a, n.model_b FROM bare_new n
            JOIN response a ON a.dataset_id = $d AND a.prompt_id = n.prompt_id AND a.model_id = n.model_a AND a.text_id IS NULL
            JOIN response b ON b.dataset_id = $d AND b.prompt_id = n.prompt_id AND b.model_id = n.model_b AND b.text_id IS NULL;
            INSERT INTO linked SELECT r.row, r.cell, p.pair_id, p.model_a <> r.model_a FROM bare_row r
            JOIN pair p ON p.dataset_id = $d AND p.prompt_id = r.prompt_id
                AND least(p.model_a, p.model_b) = least(r.model_a, r.model_b)
                AND greatest(p.model_a, p.model_b) = greatest(r.model_a, r.model_b)
            WHERE (r.row, r.cell) IN (SELECT (row, cell) FROM r4)"""
        )  # fmt: skip
        self.mark_rows(
            "r4",
            """WITH k AS (SELECT r4.pair_id, l.pair_id AS pair, r4.row, r4.cell FROM r4 JOIN linked l USING (row, cell)
                WHERE r4.pair_id IS NOT NULL),
                first AS (SELECT pair_id, arg_min(pair, row) AS pair FROM k GROUP BY 1)
            SELECT k.row, k.cell, 'pair_id', k.pair_id, 'already stands for a pair of other models or of another prompt'
            FROM k JOIN first USING (pair_id) WHERE k.pair <> first.pair""",
        )
        self._remember_keys()

    def _remember_keys(self) -> None:
        self.run(
            """INSERT INTO pair_key SELECT DISTINCT $d, r4.pair_id, l.pair_id, $i FROM r4 JOIN linked l USING (row, cell)
            WHERE r4.pair_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM pair_key k WHERE k.dataset_id = $d
                AND k.external_id = r4.pair_id AND k.pair_id = l.pair_id AND k.import_id = $i)"""
        )

    def judgments(self) -> tuple[int, int]:
        """New rows in, duplicates counted, contradictions marked. Returns (accepted, duplicates)."""
        # Rows a repeat of which can be told: of a named annotator, or of a judge that is not people.
        self.run(
            """CREATE OR REPLACE TEMP TABLE r6 AS SELECT row, cell, pair AS pair_id, prompt_id, model_a, model_b,
                response_a, response_b, turned, judge_id, kind, annotator_id, criterion_id, variant_id,
                CASE WHEN turned AND outcome IN (1, 2) THEN 3 - outcome ELSE outcome END AS outcome,
                CASE WHEN turned THEN 1 - p_a ELSE p_a END AS p_a,
                CASE WHEN turned THEN -shown ELSE shown END AS shown, weight, repeat,
                CASE WHEN turned THEN score_b ELSE score_a END AS score_a,
                CASE WHEN turned THEN score_a ELSE score_b END AS score_b,
                confidence, seconds, judged_at, CASE WHEN turned THEN -cue ELSE cue END AS cue, reason, external_id,
                row_hash,
                hash(pair, judge_id, coalesce(annotator_id, 0), criterion_id, variant_id,
                     CASE WHEN turned THEN -shown ELSE shown END) AS slot
            FROM r5;
            DROP TABLE r5;
            CREATE OR REPLACE TEMP TABLE held AS SELECT j.judgment_id, j.import_id, j.pair_id, j.judge_id, j.annotator_id,
                j.criterion_id, j.variant_id, j.shown, j.repeat, j.outcome, j.p_a, j.external_id,
                hash(j.pair_id, j.judge_id, coalesce(j.annotator_id, 0), j.criterion_id, j.variant_id, j.shown) AS slot
            FROM judgment j WHERE j.dataset_id = $d;
            CREATE OR REPLACE TEMP TABLE crowded AS SELECT slot FROM r6
            WHERE annotator_id IS NOT NULL OR kind <> 'human' GROUP BY slot HAVING count(*) > 1
            UNION SELECT r6.slot FROM r6 JOIN held h ON h.slot = r6.slot
            WHERE r6.annotator_id IS NOT NULL OR r6.kind <> 'human';
            CREATE OR REPLACE TEMP TABLE numbered AS SELECT r6.row, r6.cell, r6.repeat,
                coalesce(r6.repeat, CASE WHEN r6.kind = 'human' OR c.slot IS NULL THEN 1 ELSE
                    coalesce((SELECT max(h.repeat) FROM held h WHERE h.slot = r6.slot), 0)
                    + row_number() OVER (PARTITION BY r6.slot, r6.repeat IS NULL ORDER BY r6.row, r6.cell) END) AS number
            FROM r6 JOIN crowded c ON c.slot = r6.slot"""
        )
        self.run(
            # Same slot and repeat as an earlier row: the earliest (in the store, else in the file) holds.
            """CREATE OR REPLACE TEMP TABLE twin AS
            WITH all_rows AS (
                SELECT r6.slot, n.number, r6.row, r6.cell, r6.outcome, r6.p_a, NULL AS judgment_id, NULL AS import_id
                FROM r6 JOIN numbered n USING (row, cell) WHERE r6.kind = 'human' OR r6.repeat IS NOT NULL
                    OR r6.external_id IS NOT NULL
                UNION ALL SELECT slot, repeat, -1, judgment_id, outcome, p_a, judgment_id, import_id FROM held
                WHERE slot IN (SELECT slot FROM crowded))
            SELECT row, cell, outcome, p_a, first_value(outcome) OVER w AS first_outcome, first_value(p_a) OVER w AS first_p,
                first_value(judgment_id) OVER w AS judgment_id, first_value(import_id) OVER w AS import_id,
                row_number() OVER w AS place
            FROM all_rows WINDOW w AS (PARTITION BY slot, number ORDER BY row, cell);
            DELETE FROM twin WHERE place = 1 OR row = -1;
            INSERT INTO twin
            WITH same_id AS (SELECT external_id, row, cell, pair_id, judge_id, outcome, p_a, NULL AS judgment_id,
                    NULL AS import_id FROM r6 WHERE external_id IS NOT NULL
                UNION ALL SELECT external_id, -1, judgment_id, pair_id, judge_id, outcome, p_a, judgment_id, import_id
                FROM held WHERE external_id IN (SELECT external_id FROM r6 WHERE external_id IS NOT NULL)),
                placed AS (SELECT row, cell, outcome, p_a,
                    CASE WHEN first_value(pair_id) OVER w = pair_id AND first_value(judge_id) OVER w = judge_id
                        THEN first_value(outcome) OVER w ELSE -9 END AS first_outcome,
                    first_value(p_a) OVER w AS first_p, first_value(judgment_id) OVER w AS judgment_id,
                    first_value(import_id) OVER w AS import_id, row_number() OVER w AS place FROM same_id
                    WINDOW w AS (PARTITION BY external_id ORDER BY row, cell))
            SELECT * FROM placed WHERE place > 1 AND row >= 0 AND (row, cell) NOT IN (SELECT (row, cell) FROM twin)"""
        )
        self.mark_rows(
            "r6",
            """SELECT t.row, t.cell, 'winner', ['none', 'a', 'b', 'tie', 'both_bad'][t.outcome + 1],
                CASE WHEN first_outcome = -9 THEN 'has a judgment_id that already stands for another judgment'
                ELSE 'contradicts an earlier verdict of the same judge on this pair: give a repeat number to keep both' END
            FROM twin t WHERE t.outcome IS DISTINCT FROM first_outcome OR t.p_a IS DISTINCT FROM first_p""",
        )
        # Two AI verdicts on one slot without repeat numbers are the judge asked again.
        again = self.count(
            "SELECT count(*) FROM numbered n JOIN r6 USING (row, cell) WHERE n.repeat IS NULL AND n.number > 1 "
            "AND kind <> 'human' AND (row, cell) NOT IN (SELECT (row, cell) FROM twin)"
        )
        if again:
            self.inferred.append(f"{again:,} rows judge a pair again and are taken for repeats of the same judge")
        self.run(
            """INSERT INTO witness SELECT $d, t.judgment_id, $i, r6.row_hash FROM twin t JOIN r6 USING (row, cell)
            WHERE t.judgment_id IS NOT NULL AND t.import_id <> $i;
            CREATE OR REPLACE TEMP TABLE fresh AS SELECT r6.* EXCLUDE (slot, repeat),
                coalesce(n.number, r6.repeat, 1) AS repeat,
                (SELECT coalesce(max(judgment_id), 0) FROM judgment) + row_number() OVER (ORDER BY r6.row, r6.cell)
                    AS judgment_id
            FROM r6 LEFT JOIN numbered n USING (row, cell) WHERE (row, cell) NOT IN (SELECT (row, cell) FROM twin);
            INSERT INTO judgment SELECT f.judgment_id, $d, $i, f.judge_id, f.criterion_id, f.variant_id, p.scenario_id,
                f.prompt_id, f.pair_id, f.model_a, f.model_b, f.annotator_id,
                coalesce(f.model_a <> f.model_b, false), f.outcome, f.p_a, f.shown, f.weight, f.repeat, f.score_a,
                f.score_b, f.confidence, f.seconds, f.judged_at, f.cue, f.reason, f.external_id
            FROM fresh f JOIN prompt p ON p.prompt_id = f.prompt_id ORDER BY f.judgment_id"""
        )
        accepted = self.count("SELECT count(*) FROM fresh")
        duplicates = self.count(
            "SELECT count(*) FROM twin t WHERE t.outcome IS NOT DISTINCT FROM first_outcome "
            "AND t.p_a IS NOT DISTINCT FROM first_p"
        )
        return accepted, duplicates

    def factors(self) -> None:
        """A factor whose every row agrees on a response's value is kept there, else with the judgments."""
        if not self.count("SELECT count(*) FROM s_factor"):
            return
        self.run(
            """INSERT INTO factor SELECT (SELECT coalesce(max(factor_id), 0) FROM factor) + row_number() OVER (ORDER BY name),
                $d, name FROM (SELECT DISTINCT name FROM s_factor) n
            WHERE NOT EXISTS (SELECT 1 FROM factor f WHERE f.dataset_id = $d AND f.name = n.name);
            CREATE OR REPLACE TEMP TABLE given_value AS
            SELECT f.judgment_id, k.factor_id, f.response_a, f.response_b,
                CASE WHEN f.turned THEN s.b ELSE s.a END AS a, CASE WHEN f.turned THEN s.a ELSE s.b END AS b
            FROM fresh f JOIN s_factor s USING (row) JOIN factor k ON k.dataset_id = $d AND k.name = s.name;
            CREATE OR REPLACE TEMP TABLE by_response AS SELECT response_id, factor_id, min(v) AS v,
                count(DISTINCT v) AS n FROM (SELECT response_a AS response_id, factor_id, a AS v FROM given_value
                UNION ALL SELECT response_b, factor_id, b FROM given_value) WHERE v IS NOT NULL GROUP BY ALL;
            CREATE OR REPLACE TEMP TABLE by_judgment AS SELECT DISTINCT factor_id FROM by_response WHERE n > 1;
            INSERT INTO response_value SELECT $d, response_id, factor_id, try_cast(v AS DOUBLE),
                CASE WHEN try_cast(v AS DOUBLE) IS NULL THEN v END, $i
            FROM by_response WHERE factor_id NOT IN (SELECT factor_id FROM by_judgment);
            INSERT INTO judgment_value SELECT $d, judgment_id, factor_id, try_cast(a AS DOUBLE), try_cast(b AS DOUBLE),
                CASE WHEN try_cast(a AS DOUBLE) IS NULL THEN a END, CASE WHEN try_cast(b AS DOUBLE) IS NULL THEN b END, $i
            FROM given_value WHERE factor_id IN (SELECT factor_id FROM by_judgment)"""
        )  # fmt: skip

    def attributes(self) -> None:
        if not self.count("SELECT count(*) FROM s_attribute"):
            return
        self.run(
            """CREATE OR REPLACE TEMP TABLE given_attribute AS
            SELECT s.entity, CASE s.entity WHEN 'annotator' THEN f.annotator_id WHEN 'judge' THEN f.judge_id
                WHEN 'prompt' THEN f.prompt_id WHEN 'pair' THEN f.pair_id
                WHEN 'model' THEN f.model_a END AS entity_id, s.name,
                CASE WHEN f.turned AND s.entity = 'model' THEN s.b ELSE s.a END AS value, f.row
            FROM fresh f JOIN s_attribute s USING (row)
            UNION ALL SELECT s.entity, f.model_b, s.name, CASE WHEN f.turned THEN s.a ELSE s.b END, f.row
            FROM fresh f JOIN s_attribute s USING (row) WHERE s.entity = 'model';
            CREATE OR REPLACE TEMP TABLE settled AS SELECT entity, entity_id, name, arg_min(value, row) AS value,
                count(DISTINCT value) AS n FROM given_attribute WHERE entity_id IS NOT NULL AND value IS NOT NULL
            GROUP BY ALL;
            INSERT INTO attribute SELECT $d, entity, entity_id, name, value, $i FROM settled"""
        )
        for entity, name, n in self.con.execute(
            "SELECT entity, name, count(*) FROM settled WHERE n > 1 GROUP BY ALL ORDER BY ALL"
        ).fetchall():
            self.inferred.append(f"{n:,} {entity}s have more than one value of {name}; the first was kept")

    def fingerprint(self) -> None:
        self.run(
            """INSERT INTO fingerprint SELECT $d, $i, judge_id, count(*), (sum(row_hash) % 18446744073709551616)::UBIGINT
            FROM fresh GROUP BY judge_id;"""
        )
        fingerprint_labels(self.con, self.d)


def assign_scenarios(con: duckdb.DuckDBPyConnection, dataset_id: int) -> None:
    """Give each prompt (and its judgments) the scenario that the earliest import claims for it."""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE due AS SELECT p.prompt_id, c.scenario_id FROM prompt p LEFT JOIN (
            SELECT prompt_id, arg_min(scenario_id, import_id) AS scenario_id FROM prompt_scenario
            WHERE dataset_id = {dataset_id} GROUP BY prompt_id) c USING (prompt_id)
        WHERE p.dataset_id = {dataset_id} AND p.scenario_id IS DISTINCT FROM c.scenario_id"""
    )
    if con.execute("SELECT count(*) FROM due").fetchall()[0][0]:
        con.execute(
            """UPDATE prompt SET scenario_id = due.scenario_id FROM due WHERE prompt.prompt_id = due.prompt_id;
            UPDATE judgment SET scenario_id = due.scenario_id FROM due WHERE judgment.prompt_id = due.prompt_id"""
        )


def fingerprint_labels(con: duckdb.DuckDBPyConnection, dataset_id: int) -> None:
    """The scenario labels' share of the fingerprint, of the dataset as it now is (judge_id and import_id NULL)."""
    con.execute(
        f"""DELETE FROM fingerprint WHERE dataset_id = {dataset_id} AND judge_id IS NULL;
        INSERT INTO fingerprint SELECT {dataset_id}, NULL, NULL, count(*), (sum(md5_number_lower(concat_ws(chr(31),
            coalesce(p.external_id, ''), coalesce(t.hash::VARCHAR, ''), s.name))) % 18446744073709551616)::UBIGINT
        FROM prompt p JOIN scenario s ON s.scenario_id = p.scenario_id LEFT JOIN text t ON t.text_id = p.text_id
        WHERE p.dataset_id = {dataset_id} HAVING count(*) > 0"""
    )


def prune(con: duckdb.DuckDBPyConnection, dataset_id: int) -> None:
    """Remove what no judgment of the dataset refers to any more (and texts that nothing refers to)."""
    d = dataset_id
    statements = [
        f"DELETE FROM pair WHERE dataset_id = {d} AND pair_id NOT IN (SELECT pair_id FROM judgment WHERE dataset_id = {d})",
        f"DELETE FROM pair_key WHERE dataset_id = {d} AND pair_id NOT IN (SELECT pair_id FROM pair WHERE dataset_id = {d})",
        f"DELETE FROM response WHERE dataset_id = {d} AND response_id NOT IN (SELECT response_a FROM pair WHERE "
        f"dataset_id = {d} UNION ALL SELECT response_b FROM pair WHERE dataset_id = {d})",
        f"DELETE FROM prompt WHERE dataset_id = {d} AND prompt_id NOT IN (SELECT prompt_id FROM pair WHERE dataset_id = {d})",
        f"DELETE FROM prompt_scenario WHERE dataset_id = {d} AND prompt_id NOT IN "
        f"(SELECT prompt_id FROM prompt WHERE dataset_id = {d})",
        f"DELETE FROM response_value WHERE dataset_id = {d} AND response_id NOT IN "
        f"(SELECT response_id FROM response WHERE dataset_id = {d})",
        f"DELETE FROM judge WHERE dataset_id = {d} AND judge_id NOT IN (SELECT judge_id FROM judgment WHERE dataset_id = {d})",
        f"DELETE FROM annotator WHERE dataset_id = {d} AND annotator_id NOT IN "
        f"(SELECT annotator_id FROM judgment WHERE dataset_id = {d} AND annotator_id IS NOT NULL)",
        f"DELETE FROM model WHERE dataset_id = {d} AND model_id NOT IN (SELECT model_id FROM response WHERE "
        f"dataset_id = {d} AND model_id IS NOT NULL)",
        f"DELETE FROM scenario WHERE dataset_id = {d} AND scenario_id NOT IN (SELECT scenario_id FROM prompt_scenario "
        f"WHERE dataset_id = {d})",
        f"DELETE FROM factor WHERE dataset_id = {d} AND factor_id NOT IN (SELECT factor_id FROM response_value UNION ALL "
        "SELECT factor_id FROM judgment_value)",
        f"DELETE FROM criterion WHERE dataset_id = {d} AND criterion_id NOT IN "
        f"(SELECT criterion_id FROM judgment WHERE dataset_id = {d})",
        f"DELETE FROM variant WHERE dataset_id = {d} AND variant_id NOT IN "
        f"(SELECT variant_id FROM judgment WHERE dataset_id = {d})",
        "DELETE FROM text WHERE text_id NOT IN (SELECT text_id FROM prompt WHERE text_id IS NOT NULL UNION ALL "
        "SELECT text_id FROM response WHERE text_id IS NOT NULL)",
    ]
    for sql in statements:
        con.execute(sql)
