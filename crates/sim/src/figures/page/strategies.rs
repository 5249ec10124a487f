//! What is said of the strategies: figures 3, 4 and 5.

use selection::strategy::Strategy;

use super::{Found, Statement, list};
use crate::figures::PERCENTS;

impl Found<'_> {
    /// Figures 3, 4 and 5.
    pub(super) fn on_strategies(&self) -> Vec<Statement> {
        use Strategy::{EsAv, EsNav, MHash, Paper};
        let seats = f64::from(self.options.seats);
        let ideal = PERCENTS.map(|percent| self.effectiveness(Paper, percent));
        let worst = [EsNav, EsAv, MHash].map(|one| self.effectiveness(one, 1.0));
        let few = [EsNav, EsAv].map(|one| self.effectiveness(one, PERCENTS[0]));
        let many = [EsNav, EsAv].map(|one| self.effectiveness(one, 1.0));
        let checks = |strategy, percent| self.totals(strategy, percent, false).checks.mean();
        let cost = PERCENTS.map(|percent| checks(Paper, percent));
        let at_one = |strategy| self.totals(strategy, 1.0, false);
        let [sep2p, nav, av, hash] = [Paper, EsNav, EsAv, MHash].map(at_one);
        let twice_k = sep2p.checks.mean();
        let extra = [&nav, &av, &hash].map(|totals| totals.checks.mean() - twice_k);
        let operations = [&sep2p, &nav, &av, &hash].map(|totals| totals.latency_operations.mean());
        let messages = [&sep2p, &nav, &av, &hash].map(|totals| totals.latency_messages.mean());
        let work = [&sep2p, &nav, &av, &hash].map(|totals| totals.operations.mean());
        let sent = [&sep2p, &nav, &av, &hash].map(|totals| totals.messages.mean());
        let largest = |all: [f64; 4]| {
            (0..4)
                .max_by(|a, b| all[*a].total_cmp(&all[*b]))
                .unwrap_or(0)
        };
        vec![
            Statement {
                source: "§4.2, figure 3",
                says: "SEP2P draws as well as a trusted server, whatever C is".into(),
                here: format!("effectiveness {}", list(&ideal, 2)),
                agrees: ideal.iter().all(|seen| (seen - 1.0).abs() < 0.06),
                note: "what is left is chance: a few colluders, in 100 networks",
            },
            Statement {
                source: "§4.2, figure 3",
                says: "2k is 4 to 8 for C up to 1 %".into(),
                here: format!("{} for the four shares", list(&cost[..4], 1)),
                agrees: cost[..4].iter().all(|cost| (3.9..8.1).contains(cost)),
                note: "",
            },
            Statement {
                source: "§4.2, figure 3",
                says: "a verifier pays 2k for ES.NAV, 2k + A + 1 for ES.AV, 2k + A for M.Hash"
                    .into(),
                here: format!(
                    "2k + {:.1}, 2k + A + {:.1}, 2k + A + {:.1}",
                    extra[0],
                    extra[1] - seats,
                    extra[2] - seats
                ),
                agrees: false,
                note: "§3.4 has cert_T checked too, and S must sign its choice with a certificate, or anybody could speak for it: 3, 2 and 1 more",
            },
            Statement {
                source: "§4.2, figure 3",
                says: "ES.NAV, ES.AV and M.Hash are far from protecting enough".into(),
                here: format!("effectiveness {} at C = 1 %", list(&worst, 3)),
                agrees: worst.iter().all(|seen| *seen < 0.2),
                note: "a colluder is near enough in one draw of seven, and 14 nodes are on average: ln 1/α",
            },
            Statement {
                source: "§4.2, figure 3",
                says: "ES.AV is better than ES.NAV when C < A, not otherwise".into(),
                here: format!(
                    "{:.2} against {:.2} at the smallest C, {:.3} against {:.3} at C = 1 %",
                    few[1], few[0], many[1], many[0]
                ),
                agrees: few[1] > 2.0 * few[0] && (many[1] / many[0] - 1.0).abs() < 0.1,
                note: "",
            },
            Statement {
                source: "§4.2, figure 4",
                says: "SEP2P has the longest latency and the most work in operations".into(),
                here: format!(
                    "latency {} and work {} (SEP2P, ES.NAV, ES.AV, M.Hash)",
                    list(&operations, 0),
                    list(&work, 0)
                ),
                agrees: largest(operations) == 0 && largest(work) == 0,
                note: "",
            },
            Statement {
                source: "§4.2, figure 4",
                says: "its latency is around 20 operations".into(),
                here: format!("{:.1}", operations[0]),
                agrees: (operations[0] - 20.0).abs() < 2.5,
                note: "4k + 3 = 18 until S has the list signed, and 2k more as T verifies what S gives it",
            },
            Statement {
                source: "§4.2, figure 5",
                says: "its latency is around 30 messages".into(),
                here: format!("{:.1}", messages[0]),
                agrees: (messages[0] - 30.0).abs() < 2.5,
                note: "12, and a request with its answer for each hop of the lookup",
            },
            Statement {
                source: "§4.2, figure 5",
                says: "M.Hash sends the most messages, for A lookups".into(),
                here: format!("{} (SEP2P, ES.NAV, ES.AV, M.Hash)", list(&sent, 0)),
                agrees: largest(sent) == 3,
                note: "",
            },
            Statement {
                source: "§4.2, figures 4 and 5",
                says: "ES.NAV, ES.AV and M.Hash have nearly the same latency in both".into(),
                here: format!(
                    "{} operations, {} messages",
                    list(&operations[1..], 1),
                    list(&messages[1..], 1)
                ),
                agrees: false,
                note: "ES.NAV and ES.AV are the same; our S checks the random before it chooses (2k + 1), and in M.Hash there is no S, but T waits for the longest of its lookups",
            },
        ]
    }
}
