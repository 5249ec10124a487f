import json
import pickle
import socket
import threading
import time
import traceback
from typing import Any
from unittest import mock

from commonhold import CODES, CommonholdError, NotRunning, Refused, Strange, TimedOut, wire

from .village import ENTRY, QUESTION, TOKEN, Handler, NodeCase, asked, event


class Errors(NodeCase):
    def test_each_error_has_its_code(self) -> None:
        for status, code in [*((409, code) for code in sorted(CODES)), (422, "of_a_later_node")]:
            says = {"code": code, "error": "it is so", "what_to_do": "do this"}
            self.says("GET", "/v1/inbox", lambda handler: handler.say(says, status))
            with self.assertRaises(Refused) as caught:
                self.node.inbox()
            why = caught.exception
            self.assertEqual((why.status, why.code, why.error, why.what_to_do), (status, code, "it is so", "do this"))
            self.assertEqual(str(why), "it is so; do this")
            again = pickle.loads(pickle.dumps(why))
            self.assertEqual((again.code, str(again)), (code, str(why)))

    def test_a_wrong_token_is_refused_and_not_repeated(self) -> None:
        wrong = "77" * 32
        self.write("api.token", wrong)
        with self.assertRaises(Refused) as caught:
            self.node.status()
        self.assertEqual(caught.exception.code, "token")
        told = "".join(traceback.format_exception(caught.exception))
        self.assertNotIn(wrong, told)
        self.assertNotIn(TOKEN, told)

    def test_a_long_list_is_read_part_by_part(self) -> None:
        def parts(handler: Handler) -> None:
            more = "after=" not in handler.path
            handler.raw(json.dumps([ENTRY]).encode(), link='</v1/inbox?limit=1000&after=x>; rel="next"' if more else None)

        self.says("GET", "/v1/inbox", parts)
        self.assertEqual(len(self.node.inbox()), 2)
        asked_for = [path for _, path, _ in self.fake.heard]
        self.assertEqual(asked_for, ["/v1/inbox?limit=1000", "/v1/inbox?limit=1000&after=x"])

    def test_who_is_not_there_is_to_be_started(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        self.write("api.address", f"127.0.0.1:{port}")
        for tried in (self.node.status, lambda: next(self.node.events())):
            with self.assertRaises(NotRunning) as caught:
                tried()
            self.assertIn("commonhold up", str(caught.exception))
            self.assertEqual(caught.exception.code, "not_running")

    def test_silence_ends(self) -> None:
        released = threading.Event()
        self.addCleanup(released.set)
        self.says("GET", "/v1/slow", lambda _: released.wait(10))
        began = time.monotonic()
        with self.assertRaises(TimedOut):
            self.node.call("GET", "/v1/slow", secs=0.1)
        self.assertLess(time.monotonic() - began, wire.CONNECT_SECS)

    def test_who_breaks_off_has_gone_away(self) -> None:
        def cut(handler: Handler) -> None:
            handler.close_connection = True

        self.says("GET", "/v1/status", cut)
        with self.assertRaises(NotRunning) as caught:
            self.node.status()
        self.assertIn("went away", str(caught.exception))

    def test_what_no_node_says_is_strange(self) -> None:
        for said in (b"<html>", b"[]", b'{"id": 7}', b"\xff"):
            self.says("GET", f"/v1/questions/{QUESTION}", lambda handler: handler.raw(said))
            with self.assertRaises(Strange, msg=said):
                self.node.question(QUESTION)
        self.says("GET", "/v1/status", lambda handler: handler.raw(b"<html>", 502))
        with self.assertRaises(Strange) as caught:
            self.node.status()
        self.assertIn("502", str(caught.exception))

    def test_a_reply_without_end_is_not_read(self) -> None:
        self.says("GET", "/v1/inbox", lambda handler: handler.raw(b"[" + b" " * 2000 + b"]"))
        self.assertEqual(self.node.inbox(), [])
        with mock.patch.object(wire, "REPLY_BYTES_MAX", 1000), self.assertRaises(Strange):
            self.node.inbox()

    def test_no_proxy_comes_between(self) -> None:
        self.says("GET", "/v1/inbox", [])
        with mock.patch.dict("os.environ", {"http_proxy": "http://192.0.2.1:9", "HTTP_PROXY": "http://192.0.2.1:9"}):
            self.assertEqual(self.node.inbox(), [])
        self.assertEqual(self.fake.headers[-1]["Host"], "127.0.0.1:%d" % self.fake.server_address[1])
        self.assertNotIn("Origin", self.fake.headers[-1])


class Events(NodeCase):
    def setUp(self) -> None:
        super().setUp()
        for name, value in {"AGAIN_SECS": (0.01, 0.02), "SILENCE_SECS": 0.3}.items():
            quick = mock.patch.object(wire, name, value)
            quick.start()
            self.addCleanup(quick.stop)
        self.released = threading.Event()
        self.addCleanup(self.released.set)

    def stays(self, *lines: str) -> Any:
        """A stream that goes silent after these lines."""

        def stream(handler: Handler) -> None:
            handler.stream(*lines)
            self.released.wait(10)

        return stream

    def test_a_cut_stream_is_resumed(self) -> None:
        cut = [lambda handler: handler.stream(event(1), ":", event(2)), lambda handler: handler.stream()]
        busy = {"code": "busy", "error": "the node is stopping", "what_to_do": "start it again"}
        self.says("GET", "/v1/events", *cut, lambda handler: handler.say(busy, 503), self.stays(event(1, text="anew")))
        events = self.node.events()
        self.assertEqual([next(events).number for _ in range(2)], [1, 2])
        self.assertEqual(next(events).text, "anew")

    def test_silence_is_a_cut(self) -> None:
        self.says("GET", "/v1/events", self.stays(), self.stays(event(5)))
        began = time.monotonic()
        self.assertEqual(next(self.node.events()).number, 5)
        self.assertGreater(time.monotonic() - began, 0.25)

    def test_a_gap_is_a_reason_to_look(self) -> None:
        self.says("GET", "/v1/events", self.stays(event(1), event(2), event(4)))
        heard = wire.listen(self.node._door)
        numbers = [said and said.number for said, _ in zip(heard, range(5))]
        self.assertEqual(numbers, [None, 1, 2, None, 4])

    def test_who_stays_away_is_given_up(self) -> None:
        self.says("GET", "/v1/events", lambda handler: handler.stream(event(1)))
        heard = wire.listen(self.node._door, time.monotonic() + 5, patience=0.2)
        self.assertEqual([next(heard), getattr(next(heard), "number")], [None, 1])
        self.lock.close()
        began = time.monotonic()
        with self.assertRaises(NotRunning):
            list(heard)
        self.assertGreater(time.monotonic() - began, 0.15)

    def test_too_many_listeners_are_told_at_once(self) -> None:
        busy = {"code": "busy", "error": "too many listen already", "what_to_do": "end one"}
        self.says("GET", "/v1/events", lambda handler: handler.say(busy, 503))
        with self.assertRaises(CommonholdError) as caught:
            next(self.node.events())
        self.assertEqual(caught.exception.code, "busy")

    def test_waiting_ends_when_the_answer_is_there(self) -> None:
        self.says("POST", "/v1/questions", asked())
        question = self.node.ask("SELECT AVG(hours) FROM sleep")
        # One look when the stream begins, none for another question's event, one for its own.
        self.says("GET", f"/v1/questions/{QUESTION}", asked("drawn"), asked("failed"))
        self.says("GET", "/v1/events", self.stays(event(8, "00" * 32), event(9, None), event(10)))
        self.assertIs(question.wait(5), question)
        self.assertEqual(question.state, "failed")
        looks = [path for _, path, _ in self.fake.heard if path.endswith(QUESTION)]
        self.assertEqual(len(looks), 2)

    def test_what_happened_during_a_cut_is_noticed(self) -> None:
        self.says("POST", "/v1/questions", asked())
        question = self.node.ask("SELECT AVG(hours) FROM sleep")
        self.says("GET", f"/v1/questions/{QUESTION}", asked(), asked("stopped"))
        self.says("GET", "/v1/events", lambda handler: handler.stream(), self.stays())
        self.assertEqual(question.wait(5).state, "stopped")

    def test_waiting_has_an_end(self) -> None:
        self.says("POST", "/v1/questions", asked())
        question = self.node.ask("SELECT AVG(hours) FROM sleep")
        self.says("GET", f"/v1/questions/{QUESTION}", asked("drawn"))
        self.says("GET", "/v1/events", self.stays(":"))
        began = time.monotonic()
        with self.assertRaises(TimedOut) as caught:
            question.wait(0.5)
        self.assertLess(time.monotonic() - began, 3)
        self.assertIn("is drawn after 0.5 s", str(caught.exception))
