//! Contributions with proofs, whatever the shares are.

use std::hint::black_box;

use aggregation::statistic::{Declaration, Measure, Statistic as Declared};
use aggregation::validity::{
    Binding, Challenge, InputShare, PublicShare, Shape, Statistic, Validity, VerifierShare,
};
use base::{Digest, NodeId, Rng, encode};
use community::{Column, Kind, Range};
use crypto::Vector;

/// Which of some shapes, what all lanes get of a contribution, what each lane gets, and what is said of it.
type Fed = (u8, PublicShare, Vec<InputShare>, Vec<VerifierShare>);

thread_local! {
    static SHAPES: Vec<(Validity, Vec<u64>)> = shapes();
}

/// Some of each kind, with what somebody contributes.
fn shapes() -> Vec<(Validity, Vec<u64>)> {
    let range = Range {
        decimals: 0,
        min: 0,
        max: 65_535,
    };
    let column = Column {
        name: "x".into(),
        kind: Kind::Number(range),
    };
    let moments = Declared::new(Declaration {
        columns: vec![column],
        group_by: Vec::new(),
        measure: Measure::Moments {
            column: 0,
            order: 4,
        },
        contributors: 4000,
        rows: 1,
    })
    .expect("a sound declaration");
    let shapes: [(Shape, &[u64]); 6] = [
        (Statistic::Count.into(), &[1]),
        (Statistic::Sum { max: 10 }.into(), &[1, 7]),
        (Statistic::Histogram { buckets: 3 }.into(), &[1, 0, 1, 0]),
        (
            Statistic::GroupedSum { groups: 2, max: 9 }.into(),
            &[0, 1, 0, 9],
        ),
        (Shape::sums(1, &[5, 1]), &[1, 5, 0]),
        // The last power takes two limbs.
        (
            Shape::of(&moments).expect("four powers of 16 bits"),
            &[1, 300, 90_000, 27_000_000, 3_805_032_704, 1],
        ),
    ];
    shapes
        .into_iter()
        .zip([2, 3].into_iter().cycle())
        .map(|((shape, vector), lanes)| {
            let validity = Validity::new(shape, lanes).expect("within all limits");
            (validity, vector.to_vec())
        })
        .collect()
}

fn binding() -> Binding {
    Binding::new(&Digest::of("hostile", &[]), NodeId([3; 32]))
}

/// Shares of a contribution, and what lanes say of them.
pub fn contribution(bytes: &[u8]) {
    black_box(accepted(bytes));
}

/// The sum of what the lanes accept.
fn accepted(bytes: &[u8]) -> Option<Vector> {
    let (which, public, shares, said) = super::read::<Fed>(bytes)?;
    // From all that is fed, since no contributor knows it beforehand: who does can prove what it likes.
    let challenge = Challenge::new(&[7; 32], &Digest::of("hostile", &[bytes]));
    SHAPES.with(|shapes| {
        let (validity, _) = &shapes[usize::from(which) % shapes.len()];
        let prepared = shares
            .iter()
            .enumerate()
            .map(|(lane, share)| validity.prepare(lane, &challenge, &binding(), &public, share));
        let prepared = prepared.collect::<Result<Vec<_>, _>>().ok()?;
        let (prepared, own): (Vec<_>, Vec<_>) = prepared.into_iter().unzip();
        let decide = |words: &[VerifierShare]| {
            let decisions = prepared.iter().map(|one| validity.combine(one, words));
            let decisions: Vec<_> = decisions.collect();
            let alike = decisions.windows(2).all(|pair| pair[0] == pair[1]);
            assert!(alike, "lanes decide alike");
            decisions.into_iter().next()
        };
        // Of what all lanes say together, anything may follow, but no panic.
        black_box(decide(&said));
        let decision = decide(&own)?.ok()?;
        let mut sum: Option<Vector> = None;
        for prepared in prepared {
            let share = validity.finish(prepared, &decision);
            let share = share.expect("no lane fails after the decision");
            match &mut sum {
                None => sum = Some(share),
                Some(sum) => sum.add(&share).expect("shares of the same length"),
            }
        }
        let sum = sum.expect("there are lanes");
        let again = validity.shard(&sum, &binding(), &mut Rng::from_number(1));
        assert!(again.is_ok(), "what is accepted is a contribution");
        Some(sum)
    })
}

/// Honest contributions of each shape, with what a lane would say under another challenge.
///
/// # Panics
///
/// Never: they are honest.
pub fn samples() -> Vec<Vec<u8>> {
    let challenge = Challenge::new(&[7; 32], &Digest::of("hostile", &[]));
    let sample = |(which, (validity, vector)): (usize, (Validity, Vec<u64>))| {
        let vector = Vector::from_u64s(&vector).expect("small numbers");
        let mut rng = Rng::from_number(which as u64);
        let sharded = validity.shard(&vector, &binding(), &mut rng);
        let (public, shares) = sharded.expect("a contribution");
        let said: Vec<_> = (0..validity.lanes())
            .map(|lane| {
                let share = &shares[lane];
                let prepared = validity.prepare(lane, &challenge, &binding(), &public, share);
                prepared.expect("an honest contribution").1
            })
            .collect();
        encode(&(which as u8, public, shares, said))
    };
    shapes().into_iter().enumerate().map(sample).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Or the corpus would begin with nothing that comes near to acceptance.
    #[test]
    fn samples_are_accepted_and_altered_ones_are_not() {
        for (sample, (_, vector)) in samples().into_iter().zip(shapes()) {
            let sum = accepted(&sample).map(|sum| sum.to_u64s());
            assert_eq!(sum, Some(vector));
            // Into the public share; in the last places are only words that nobody believes.
            let mut altered = sample;
            altered[20] ^= 1;
            assert!(accepted(&altered).is_none());
        }
    }
}
