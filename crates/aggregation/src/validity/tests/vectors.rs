//! The draft's test vectors: what our sharing makes, and what the library accepts and refuses.

use std::collections::BTreeMap;

use prio::codec::{Encode as _, ParameterizedDecode as _};
use prio::field::{Field64, Field128};
use prio::flp::Type;
use prio::flp::gadgets::{Mul, ParallelSum};
use prio::flp::types::{Count, Histogram, MultihotCountVec, Sum, SumVec};
use prio::vdaf::prio3::*;
use prio::vdaf::xof::XofTurboShake128;
use prio::vdaf::{Aggregator as _, VerifyTransition};
use serde_json::Value;

use super::*;

/// A file, the circuit that it is about, and how Prio3 is instantiated for it.
struct Replay<C: Type> {
    file: Value,
    circuit: C,
    algorithm: u32,
    proofs: u8,
    measurement: fn(&Value) -> C::Measurement,
}

/// What was done, to be sure that something was.
#[derive(Debug, Default, PartialEq)]
struct Done {
    sharded: usize,
    finished: usize,
    refused: usize,
}

impl<C: Type> Replay<C> {
    fn run(&self) -> Done {
        let lanes = number(&self.file["shares"]) as u8;
        let prio3 = Prio3::<_, XofTurboShake128, 32>::new(
            lanes,
            self.proofs,
            self.algorithm,
            self.circuit.clone(),
        )
        .unwrap();
        let context = hex(&self.file["ctx"]);
        let key = hex(&self.file["verify_key"]).try_into().unwrap();
        let mut states = BTreeMap::new();
        let mut done = Done::default();
        for step in self.file["operations"].as_array().unwrap() {
            let at = number(&step["report_index"]) as usize;
            let report = &self.file["reports"][at];
            let lane = number(&step["aggregator_id"]) as usize;
            let success = step["success"].as_bool().unwrap();
            match step["operation"].as_str().unwrap() {
                "shard" if self.circuit.joint_rand_len() > 0 => {
                    self.shard(lanes, &context, report);
                    done.sharded += 1;
                }
                "verify_init" => {
                    let public = hex(&report["public_share"]);
                    let share = hex(&report["input_shares"][lane]);
                    let public = Prio3PublicShare::get_decoded_with_param(&prio3, &public).unwrap();
                    let share =
                        Prio3InputShare::get_decoded_with_param(&(&prio3, lane), &share).unwrap();
                    let nonce = hex(&report["nonce"]).try_into().unwrap();
                    let (state, verifier) = prio3
                        .verify_init(&key, &context, lane, &(), &nonce, &public, &share)
                        .unwrap();
                    let expected = hex(&report["verifier_shares"][0][lane]);
                    assert_eq!(verifier.get_encoded().unwrap(), expected);
                    states.insert((at, lane), state);
                }
                "verifier_shares_to_message" => {
                    let verifiers: Vec<_> = array(&report["verifier_shares"][0])
                        .map(|share| {
                            let state = &states[&(at, 0)];
                            Prio3VerifierShare::get_decoded_with_param(state, &hex(share)).unwrap()
                        })
                        .collect();
                    let message = prio3.verifier_shares_to_message(&context, &(), verifiers);
                    assert_eq!(message.is_ok(), success);
                    match message {
                        Ok(message) => assert_eq!(
                            message.get_encoded().unwrap(),
                            hex(&report["verifier_messages"][0])
                        ),
                        Err(_) => done.refused += 1,
                    }
                }
                "verify_next" => {
                    let state = &states[&(at, lane)];
                    let message = hex(&report["verifier_messages"][0]);
                    let message =
                        Prio3VerifierMessage::get_decoded_with_param(state, &message).unwrap();
                    match prio3.verify_next(&context, state.clone(), message) {
                        Ok(VerifyTransition::Finish(share)) if success => {
                            let expected = hex(&report["out_shares"][lane]);
                            assert_eq!(share.get_encoded().unwrap(), expected);
                            done.finished += 1;
                        }
                        Err(_) if !success => done.refused += 1,
                        _ => panic!("expected success: {success}"),
                    }
                }
                "shard" | "aggregate" | "unshard" => {}
                other => panic!("unknown operation {other}"),
            }
        }
        done
    }

    /// Our sharing gives what the draft says.
    fn shard(&self, lanes: u8, context: &[u8], report: &Value) {
        let measurement = (self.measurement)(&report["measurement"]);
        let input = self.circuit.encode_measurement(&measurement).unwrap();
        let random = hex(&report["rand"]);
        let mut seeds = random.as_chunks::<32>().0.iter();
        let shares = Sharing {
            circuit: &self.circuit,
            lanes,
            proofs: self.proofs,
            algorithm: self.algorithm,
            context,
            nonce: &hex(&report["nonce"]).try_into().unwrap(),
        }
        .split(&input, || *seeds.next().unwrap());
        assert_eq!(seeds.len(), 0);
        assert_eq!(shares.public, hex(&report["public_share"]));
        let expected: Vec<_> = array(&report["input_shares"]).map(hex).collect();
        let inputs: Vec<_> = shares.inputs.iter().map(|share| share.to_vec()).collect();
        assert_eq!(inputs, expected);
    }
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

/// Zero when there is none.
fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

fn hex(value: &Value) -> Vec<u8> {
    let (digits, rest) = value.as_str().unwrap().as_bytes().as_chunks::<2>();
    assert!(rest.is_empty());
    digits
        .iter()
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

macro_rules! file {
    ($name:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!(
            "../../../tests/vectors/prio3/Prio3",
            $name,
            ".json"
        )))
        .unwrap()
    };
}

fn count(file: Value) -> Done {
    let (circuit, algorithm, proofs) = (Count::<Field64>::new(), 1, 1);
    let measurement = |value: &Value| number(value) != 0;
    Replay {
        file,
        circuit,
        algorithm,
        proofs,
        measurement,
    }
    .run()
}

#[test]
fn counts() {
    let accepted = |finished| Done {
        finished,
        ..Done::default()
    };
    assert_eq!(count(file!("Count_0")), accepted(2));
    assert_eq!(count(file!("Count_1")), accepted(3));
    let refused = || Done {
        refused: 1,
        ..Done::default()
    };
    assert_eq!(count(file!("Count_bad_gadget_poly")), refused());
    assert_eq!(count(file!("Count_bad_helper_seed")), refused());
    assert_eq!(count(file!("Count_bad_meas_share")), refused());
    assert_eq!(count(file!("Count_bad_wire_seed")), refused());
}

#[test]
fn sums() {
    for (file, finished) in [(file!("Sum_0"), 2), (file!("Sum_1"), 3)] {
        let circuit = Sum::<Field64>::new(number(&file["max_measurement"])).unwrap();
        let (algorithm, proofs, measurement) = (2, 1, number as fn(&Value) -> u64);
        let done = Replay {
            file,
            circuit,
            algorithm,
            proofs,
            measurement,
        }
        .run();
        assert_eq!(
            done,
            Done {
                finished,
                ..Done::default()
            }
        );
    }
}

fn parameter(file: &Value, name: &str) -> usize {
    number(&file[name]) as usize
}

fn histogram(file: Value) -> Done {
    let (length, chunk) = (parameter(&file, "length"), parameter(&file, "chunk_length"));
    let circuit = Histogram::<Field128, ParallelSum<_, Mul>>::new(length, chunk).unwrap();
    let (algorithm, proofs) = (4, 1);
    let measurement = |value: &Value| number(value) as usize;
    Replay {
        file,
        circuit,
        algorithm,
        proofs,
        measurement,
    }
    .run()
}

#[test]
fn histograms() {
    let accepted = |finished| Done {
        sharded: 1,
        finished,
        refused: 0,
    };
    assert_eq!(histogram(file!("Histogram_0")), accepted(2));
    assert_eq!(histogram(file!("Histogram_1")), accepted(3));
    let refused = || Done {
        refused: 1,
        ..Done::default()
    };
    assert_eq!(histogram(file!("Histogram_bad_helper_jr_blind")), refused());
    assert_eq!(histogram(file!("Histogram_bad_leader_jr_blind")), refused());
    assert_eq!(histogram(file!("Histogram_bad_public_share")), refused());
    assert_eq!(
        histogram(file!("Histogram_bad_verifier_message")),
        refused()
    );
}

#[test]
fn several_choices() {
    let file = file!("MultihotCountVec_0");
    let (length, chunk) = (parameter(&file, "length"), parameter(&file, "chunk_length"));
    let weight = parameter(&file, "max_weight");
    let circuit = MultihotCountVec::<Field128, ParallelSum<_, Mul>>::new(length, weight, chunk);
    let (circuit, algorithm, proofs) = (circuit.unwrap(), 5, 1);
    let measurement = |value: &Value| array(value).map(|bit| bit.as_bool().unwrap()).collect();
    let done = Replay {
        file,
        circuit,
        algorithm,
        proofs,
        measurement,
    }
    .run();
    assert_eq!(
        done,
        Done {
            sharded: 1,
            finished: 2,
            refused: 0
        }
    );
}

/// Several proofs in the field of 64 bits, as ours.
#[test]
fn sums_of_vectors_with_several_proofs() {
    let file = file!("SumVecWithMultiproof_1");
    let (length, chunk) = (parameter(&file, "length"), parameter(&file, "chunk_length"));
    let max = number(&file["max_measurement"]);
    let circuit = SumVec::<Field64, ParallelSum<_, Mul>>::new(max, length, chunk).unwrap();
    let (algorithm, proofs) = (u32::MAX, 3);
    let measurement = |value: &Value| array(value).map(number).collect();
    let done = Replay {
        file,
        circuit,
        algorithm,
        proofs,
        measurement,
    }
    .run();
    assert_eq!(
        done,
        Done {
            sharded: 3,
            finished: 9,
            refused: 0
        }
    );
}
