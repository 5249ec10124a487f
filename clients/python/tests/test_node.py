import os
import sys
import unittest
from datetime import timedelta
from typing import Any
from unittest import mock

import commonhold
from commonhold import NeedsPandas, NoAnswer, Refused, Span

from .village import ENTRY, QUESTION, NodeCase, answer, asked, figure


class Questions(NodeCase):
    def over(self, **more: Any) -> commonhold.Question:
        self.says("POST", "/v1/questions", asked("answered", answer(**more)))
        return self.node.ask("SELECT AVG(hours) FROM sleep")

    def test_a_question_says_what_was_meant(self) -> None:
        self.says("POST", "/v1/questions", asked())
        spans: dict[Span, int] = {"2d": 172_800, "now": 0, 90: 90, timedelta(minutes=2): 120, "1w": 604_800}
        for deadline, secs in spans.items():
            question = self.node.ask("SELECT 1", purpose="beds", deadline=deadline, collect="5s")
            body = {"sql": "SELECT 1", "purpose": "beds", "consent_secs": secs, "collect_secs": 5}
            self.assertEqual(self.fake.heard[-1], ("POST", "/v1/questions", body))
        self.assertEqual(repr(question), "Question(abababab, 'SELECT AVG(hours) FROM sleep', announced)")
        wrongs: tuple[Span, ...] = ("2 days", "d", "-1s", -1, "")
        for wrong in wrongs:
            with self.assertRaises(ValueError):
                self.node.ask("SELECT 1", deadline=wrong)

    def test_ask_takes_the_only_node(self) -> None:
        self.says("POST", "/v1/questions", asked("answered", answer()))
        os.environ["COMMONHOLD_FOLDER"] = str(self.home)
        self.assertEqual(commonhold.ask("SELECT 1").answer().details.count, 6)
        self.assertNotIn("collect_secs", self.fake.heard[-1][2])

    def test_an_answer_is_a_table_of_its_figures(self) -> None:
        question = self.over()
        told = question.answer()
        self.assertEqual((told.details.mean, told.details.draw, told.details.wrong), ("7.0000", 1.6e-5, 0.0))
        mean = {"figure": "mean", "value": 7.0, "low": 7.0, "high": 7.0, "exactness": "exact, rounded to 4 digits"}
        total = {"figure": "total", "value": 42.0, "low": 42.0, "high": 42.0, "exactness": "exact"}
        self.assertEqual(question.rows(), [mean, total])

    def test_a_count_is_a_figure(self) -> None:
        [row] = self.over(figures=[]).rows()
        self.assertEqual((row["figure"], row["value"]), ("count", 6))

    def test_ranges_and_what_is_withheld_have_no_value(self) -> None:
        figures = [figure("median", "-4.5 to 6", "somewhere in here"), figure("8 to 9", None, "withheld")]
        median, part = self.over(figures=figures).rows()
        self.assertEqual((median["value"], median["low"], median["high"]), (None, -4.5, 6))
        self.assertEqual((part["value"], part["low"], part["exactness"]), (None, None, "withheld"))

    def test_groups_are_rows(self) -> None:
        groups = [
            {"labels": ["good", "0 to 39"], "people": 3, "figures": [figure("median", "6 to 7"), figure("total", "20.5")]},
            {"labels": ["bad", "0 to 39"], "people": None, "figures": None},
            {"labels": ["bad", "40 to 79"], "people": 4, "figures": [figure("median", "7"), figure("total", "9.5")]},
        ]
        rows = self.over(groupings=['"total"', 'BUCKET("age", 40)'], groups=groups).rows()
        self.assertEqual(
            [list(row.values()) for row in rows],
            [["good", "0 to 39", 3, 6, 7, 20.5], ["bad", "0 to 39", None, None, None, None], ["bad", "40 to 79", 4, 7, 7, 9.5]],
        )
        names = ["total", 'BUCKET("age", 40)', "people", "median low", "median high", "total of group"]
        for row in rows:
            self.assertEqual(list(row), names)

    def test_without_pandas_it_says_how_to_get_it(self) -> None:
        question = self.over()
        with mock.patch.dict(sys.modules, {"pandas": None}), self.assertRaises(NeedsPandas) as caught:
            question.to_frame()
        self.assertIn("pip install pandas", str(caught.exception))
        self.assertIsInstance(caught.exception, ImportError)

    def test_with_pandas_it_is_a_frame(self) -> None:
        try:
            import pandas
        except ImportError:
            self.skipTest("NOT CHECKED: there is no pandas")
        frame = self.over().to_frame()
        self.assertIsInstance(frame, pandas.DataFrame)
        self.assertEqual(list(frame["value"]), [7.0, 42.0])

    def test_no_answer_says_why(self) -> None:
        notes = {"refused: too few; ask about more": ("refused: too few", "ask about more"), "": ("refused", "ask again")}
        for note, said in notes.items():
            self.says("POST", "/v1/questions", asked("refused", note=note))
            with self.assertRaises(NoAnswer) as caught:
                self.node.ask("SELECT 1").answer()
            why = caught.exception
            self.assertEqual(((why.error, why.what_to_do), why.state, why.code), (said, "refused", "no_answer"))


class Owner(NodeCase):
    def test_the_inbox_is_read_and_answered(self) -> None:
        self.says("GET", "/v1/inbox", [ENTRY])
        self.says("POST", "/v1/inbox/abab", {**ENTRY, "state": "yes", "sent_at": 9})
        [entry] = self.node.inbox()
        self.assertEqual((entry.state, entry.sent_at, entry.note), ("waiting", None, ""))
        self.assertEqual(self.node.answer("abab", "yes").sent_at, 9)
        self.assertEqual(self.fake.heard[-1][2], {"answer": "yes"})

    def test_what_the_node_did_is_read(self) -> None:
        helping = {"id": "ab", "asker": "cd", "role": "replica", "lane": 2, "step": "closed", "at": 4}
        self.says("GET", "/v1/helping", [helping, {**helping, "role": "witness", "lane": None}])
        self.assertEqual([(one.role, one.lane) for one in self.node.helping()], [("replica", 2), ("witness", None)])
        taken = {"number": 7, "file": "a.gpx", "format": "GPX", "bytes": 9, "at": 1, "kept": 3, "duplicate": 1, "skipped": 0}
        self.says("GET", "/v1/data/imports", [{**taken, "undone_at": None}])
        [found] = self.node.imports()
        self.assertEqual((found.number, found.kept, found.undone_at), (7, 3, None))

    def test_values_of_a_preview_are_not_shown_by_accident(self) -> None:
        values = [{"name": "hours", "value": "7.5"}]
        self.says("GET", "/v1/inbox/ab/preview", {"outcome": "match", "values": values, "numbers": 3})
        preview = self.node.preview("ab")
        self.assertEqual(preview.values[0].value, "7.5")
        self.assertNotIn("7.5", repr(preview))

    def test_names_stay_one_segment_of_a_path(self) -> None:
        for name in ("../v1/status", "a?b", "a#b", "a b"):
            with self.assertRaises(Refused):
                self.node.proof(name)
            path = self.fake.heard[-1][1]
            self.assertEqual(path.count("/"), 4, path)
            self.assertNotRegex(path, r"[?# ]")

    def test_a_proof_is_bytes(self) -> None:
        self.says("GET", "/v1/questions/ab/proof", lambda handler: handler.raw(b"\xa1\x00"))
        self.assertEqual(self.node.proof("ab"), b"\xa1\x00")

    def test_the_rest_of_the_api_can_be_called(self) -> None:
        self.says("GET", "/v1/rules", {"rules": [], "default": "ask"})
        self.says("POST", "/v1/leave", lambda handler: handler.raw(b"", 204))
        self.assertEqual(self.node.call("GET", "/v1/rules")["default"], "ask")
        self.assertIsNone(self.node.call("POST", "/v1/leave"))


if __name__ == "__main__":
    unittest.main()
