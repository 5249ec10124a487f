//! Every key of `config.toml`, with its default and what it says.

/// One key.
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// Its value when nobody gives one, as TOML.
    pub default: &'static str,
    /// What it says.
    pub about: &'static str,
}

/// All keys. The documentation is made from this.
pub const KEYS: [Key; 17] = [
    Key {
        name: "folder",
        default: "\"\"",
        about: "Where the node keeps its keys and its vault; empty is where community join put it, in the folder commonhold of $XDG_DATA_HOME (~/.local/share).",
    },
    Key {
        name: "listen",
        default: "\"0.0.0.0:14766\"",
        about: "Address and UDP port for other nodes. 127.0.0.1 is for nodes on this machine alone; port 0 takes any free one.",
    },
    Key {
        name: "announce",
        default: "[]",
        about: "Addresses that others are told, such as [\"203.0.113.7:14766\"]; none is the address of the interface with the default route.",
    },
    Key {
        name: "peers",
        default: "[]",
        about: "Members to join through, each as \"NODE@ADDRESS\", such as [\"6fe1…@203.0.113.7:14766\"]; NODE has 64 digits.",
    },
    Key {
        name: "relays",
        default: "[]",
        about: "Relays of members (`commonhold relay`) by which those meet who cannot be reached, such as [\"203.0.113.7:14766\"]; no other is ever used.",
    },
    Key {
        name: "map_port",
        default: "false",
        about: "Whether to ask the router of this network for a port that leads here, by PCP or NAT-PMP: true or false.",
    },
    Key {
        name: "api",
        default: "\"127.0.0.1:0\"",
        about: "Address of the local API, which must be a loopback address; port 0 takes any free one.",
    },
    Key {
        name: "rule",
        default: "\"ask\"",
        about: "What the node does with questions that none of your rules is about, until you say `commonhold question rule default`: yes, no or ask.",
    },
    Key {
        name: "budget",
        default: "\"off\"",
        about: "How many questions your data go into at most, such as 5/day or 20/2w, until you say `commonhold question budget set`; off is any number.",
    },
    Key {
        name: "connections_max",
        default: "512",
        about: "Members to whom there are connections at once, 8 to 65536; the one that was silent longest makes room.",
    },
    Key {
        name: "inbox_messages_max",
        default: "256",
        about: "Messages that wait for the node, 16 to 65536; beyond it the senders are slowed down.",
    },
    Key {
        name: "questions_kept_max",
        default: "500",
        about: "Questions on each of the two lists, asked and received, 1 to 10000; the oldest that is over makes room.",
    },
    Key {
        name: "collect_secs",
        default: "20",
        about: "Longest time for contributions to a question of yours to arrive, 1 to 3600 seconds.",
    },
    Key {
        name: "disk_free_min_mib",
        default: "256",
        about: "Free space below which `status` and `doctor` warn, in MiB.",
    },
    Key {
        name: "log",
        default: "\"stderr\"",
        about: "Where the log goes: stderr, or file for the file log in the node's folder. Detached, it is the file.",
    },
    Key {
        name: "log_level",
        default: "\"info\"",
        about: "How much is logged: error, warn, info or debug. No question, purpose or value of your data ever is.",
    },
    Key {
        name: "log_mib_max",
        default: "8",
        about: "Size at which the log file becomes log.1 (and the one before is deleted), 1 to 1024 MiB.",
    },
];
