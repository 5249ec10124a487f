//! Arbitrary bytes for everything that reads any.
//!
//! Each function takes what a peer or a file could hold and panics only when something is wrong with us. They are the targets
//! of the fuzzer (`fuzz/`), and tests replay the corpora that it left. `HOSTILE` lists them.

mod contribution;

use std::cell::RefCell;
use std::hint::black_box;
use std::sync::Arc;

use aggregation::statistic::{DECLARATION_BYTES_MAX, Declaration, Statistic, VECTOR_LEN_MAX};
use base::{Duration, Wire, decode, encode};
use community::{Community, Contact, SignedDescriptor};
use crypto::{Certificate, secret_of, unlock, words_of};
use overlay::Form;
use question::Question;
use selection::{ActorList, Sparse, strategy};

pub use contribution::{contribution, samples as contributions};

use crate::START;
use crate::community::{Settings, World, vocabulary};
use crate::drawing::{Crowd, Size};

/// A target: its name, which is that of its corpus, and the function.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const HOSTILE: &[Target] = &[
    ("message", message),
    ("proof", proof),
    ("descriptor", descriptor),
    ("contact", contact),
    ("certificate", certificate),
    ("question", question),
    ("list", list),
    ("selected", selected),
    ("statistic", statistic),
    ("contribution", contribution),
    ("locked", locked),
    ("words", words),
];

/// Longest input that is looked at.
const LIMIT: usize = 4 << 20;

thread_local! {
    /// A community in the middle of a question.
    static WORLD: RefCell<World> = RefCell::new(in_the_middle());
    /// A community that draws.
    static CROWD: Crowd = crowd();
}

/// The community whose lists are read: forty nodes, of whom three collude.
pub fn crowd() -> Crowd {
    Crowd::of(1, &Size::new(40, 3, 1e-6), Form::Sound).expect("there is such a community")
}

fn in_the_middle() -> World {
    let mut world = World::new(1, &Settings::of(12));
    world.meet();
    world.put("SELECT AVG(hours) FROM sleep", Duration::from_secs(10));
    let until = world.simulation.now() + Duration::from_millis(1_700);
    world.run(until);
    world
}

/// What decodes must encode to the same bytes.
fn read<T: Wire>(bytes: &[u8]) -> Option<T> {
    let value: T = decode(bytes, LIMIT).ok()?;
    assert!(encode(&value) == bytes, "one encoding of each value");
    Some(value)
}

/// A message of a member to helpers, the asker and others in the middle of a question.
pub fn message(bytes: &[u8]) {
    let Some(message) = read::<node::Message>(bytes) else {
        return;
    };
    WORLD.with_borrow_mut(|world| {
        let (liar, asker) = (world.people[0], world.asker);
        for to in [world.people[1], world.people[7], asker] {
            world.simulation.inject(liar, to, &message);
            world.simulation.inject(asker, to, &message);
        }
        let now = world.simulation.now();
        world.run(now);
    });
}

/// A proof file.
pub fn proof(bytes: &[u8]) {
    WORLD.with_borrow(|world| {
        if node::proof::verify(bytes, &world.community).is_ok() {
            assert!(read::<node::proof::Proof>(bytes).is_some());
        }
    });
}

/// A community's descriptor.
pub fn descriptor(bytes: &[u8]) {
    if let Some(signed) = read::<SignedDescriptor>(bytes)
        && let Ok(community) = Community::open(signed)
    {
        // A signed descriptor is not hostile, but may be foolish.
        black_box(selection::Rules::new(Arc::new(community))).ok();
    }
}

/// A contact that a member passes on.
pub fn contact(bytes: &[u8]) {
    if let Some(contact) = read::<Contact>(bytes) {
        WORLD.with_borrow(|world| {
            black_box(contact.verify(world.community.descriptor(), START)).ok();
        });
    }
}

/// A certificate that a stranger shows.
pub fn certificate(bytes: &[u8]) {
    if let Ok(certificate) = Certificate::parse(bytes) {
        assert!(
            certificate.der() == bytes,
            "one encoding of each certificate"
        );
        WORLD.with_borrow(|world| {
            let descriptor = world.community.descriptor();
            let issuers = descriptor.issuers();
            black_box(certificate.verify(&descriptor.community, &issuers, START)).ok();
        });
    }
}

/// An actor list, or the evidence that a draw had to move on.
pub fn list(bytes: &[u8]) {
    CROWD.with(|crowd| {
        if let Some(list) = read::<ActorList>(bytes) {
            black_box(list.verify(crowd.rules(), START, list.body.draw.digest)).ok();
        }
        if let Some(sparse) = read::<Sparse>(bytes) {
            black_box(sparse.verify(crowd.rules(), START)).ok();
        }
    });
}

/// Actors that another strategy selected, or a message by which it does.
pub fn selected(bytes: &[u8]) {
    CROWD.with(|crowd| {
        if let Some(selected) = read::<strategy::Selected>(bytes) {
            black_box(selected.verify(crowd.rules(), START, selected.draw.digest)).ok();
        }
        black_box(read::<strategy::Message>(bytes));
    });
}

/// Who may answer a question.
const PEOPLE: u64 = 1_000_000;

/// The text of a question.
pub fn question(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match Question::parse(&text, &vocabulary(), PEOPLE) {
        Ok(question) => {
            let again = Question::parse(question.sql(), &vocabulary(), PEOPLE);
            assert!(
                again == Ok(question),
                "what was understood is understood again"
            );
        }
        Err(why) => assert!(
            !why.to_string().chars().any(char::is_control),
            "what is refused is refused on one line"
        ),
    }
}

/// A locked file, up to where opening it would cost time: it is not for what is asked of it.
pub fn locked(bytes: &[u8]) {
    assert!(unlock(bytes, "", "nothing").is_err(), "it is for something");
}

/// Recovery words as somebody types them.
pub fn words(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(secret) = secret_of(&text) {
        let typed: Vec<_> = text.split_whitespace().map(str::to_lowercase).collect();
        assert!(
            *words_of(&secret) == typed.join(" "),
            "one secret of each words"
        );
    }
}

/// A statistic that somebody declares, and totals that somebody claims.
pub fn statistic(bytes: &[u8]) {
    if bytes.len() > DECLARATION_BYTES_MAX {
        return;
    }
    let Some((declaration, totals)) = read::<(Declaration, Vec<u64>)>(bytes) else {
        return;
    };
    if let Ok(statistic) = Statistic::new(declaration) {
        assert!(statistic.layout().len() <= VECTOR_LEN_MAX);
        black_box(statistic.decode(&totals)).ok();
    }
}
