import os
import traceback

from commonhold import Node, NoNode, NotRunning, home

from .village import TOKEN, NodeCase


class Finding(NodeCase):
    def test_the_folder_is_found_as_the_program_finds_it(self) -> None:
        only = self.make_home(".local/share/commonhold/gardeners-1a2b3c4d/node")
        self.assertEqual(home.find(), only)
        os.environ["XDG_DATA_HOME"] = str(self.folder / "data")
        self.assertEqual(home.find(), self.folder / "data/commonhold")
        os.environ["XDG_DATA_HOME"] = "not/absolute"
        self.assertEqual(home.find(), only)
        config = self.folder / ".config/commonhold"
        config.mkdir(parents=True)
        (config / "config.toml").write_text('# "mine"\nfolder = "/from/config"  # here\nrule = "ask"\n')
        self.assertEqual(str(home.find()), "/from/config")
        os.environ["COMMONHOLD_CONFIG"] = str(self.folder / "other.toml")
        with self.assertRaises(NoNode):
            home.find()
        (self.folder / "other.toml").write_text("rule = 'ask'\n")
        self.assertEqual(home.find(), only)
        os.environ["COMMONHOLD_FOLDER"] = "/from/environment"
        self.assertEqual(str(home.find()), "/from/environment")
        self.assertEqual(str(home.find("/typed")), "/typed")

    def test_of_several_nodes_one_is_to_be_named(self) -> None:
        for name in ("a", "b"):
            self.make_home(f".local/share/commonhold/{name}/node")
        with self.assertRaises(NoNode) as caught:
            home.find()
        self.assertIn("a/node, ", str(caught.exception))
        self.assertIn('Node.open("FOLDER")', caught.exception.what_to_do)

    def test_nobody_lives_in_an_empty_folder(self) -> None:
        with self.assertRaises(NoNode) as caught:
            Node.open(self.folder)
        self.assertIn("no node lives in", caught.exception.error)

    def test_an_address_that_was_left_behind_is_not_shown_the_token(self) -> None:
        self.lock.close()
        with self.assertRaises(NotRunning) as caught:
            self.node.status()
        self.assertEqual(caught.exception.what_to_do, "start it: commonhold up")
        self.assertEqual(self.fake.heard, [])

    def test_the_token_is_shown_to_this_machine_alone(self) -> None:
        for address in ("192.0.2.1:80", "localhost:80", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "evil", ""):
            self.write("api.address", address)
            with self.assertRaises(NoNode, msg=address):
                self.node.status()
        self.write("api.address", "[::1]:80\n")
        self.assertEqual(home.door(self.home).host, "::1")

    def test_the_token_is_in_no_repr_and_no_error(self) -> None:
        self.assertNotIn(TOKEN, repr(self.node) + repr(vars(self.node)) + repr(home.door(self.home)))
        damaged = TOKEN[:-1] + "\nX-More: 1"
        self.write("api.token", damaged)
        with self.assertRaises(NoNode) as caught:
            self.node.status()
        told = "".join(traceback.format_exception(caught.exception))
        self.assertNotIn(TOKEN[:-1], told)
        self.assertIn("holds no token", told)
