//! Many vaults in one process, as when the nodes of many people run in it.

use std::sync::Barrier;
use std::thread;

use base::Rng;
use vault::{Vault, VaultKey};

/// In a process of its own: what is set up at the first opening is set up once.
#[test]
fn vaults_may_be_opened_at_the_same_moment() {
    let folder = tempfile::tempdir().expect("a folder");
    let together = Barrier::new(8);
    thread::scope(|scope| {
        for number in 0..8 {
            let path = folder.path().join(number.to_string());
            let together = &together;
            scope.spawn(move || {
                let key = VaultKey::generate(&mut Rng::from_number(number));
                together.wait();
                drop(Vault::create(&path, &key).expect("created"));
                together.wait();
                Vault::open(&path, &key).expect("opened");
            });
        }
    });
}
