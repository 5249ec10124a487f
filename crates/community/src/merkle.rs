//! A list that only grows, under one digest: the tree of RFC 9162 §2.1, with our digests.
//!
//! The root of n leaves splits them at the largest power of two below n. A path shows in about log₂ n digests that a leaf
//! is in the tree (§2.1.3), or that a smaller tree is the beginning of a larger one (§2.1.4).

use base::Digest;

/// Most digests of a path: the tree cannot be deeper than its size has bits, twice for growth.
pub(crate) const PATH_MAX: usize = 64;

fn node(left: &Digest, right: &Digest) -> Digest {
    Digest::of("log node", &[left.as_bytes(), right.as_bytes()])
}

/// Where a tree of so many leaves, at least two, is split.
fn split(leaves: usize) -> usize {
    1 << (leaves - 1).ilog2()
}

/// The digest of all leaves.
pub(crate) fn root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Digest::of("log of nothing", &[]),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node(&root(left), &root(right))
        }
    }
}

/// Shows that leaf number `index` is in the tree.
pub(crate) fn inclusion(leaves: &[Digest], index: usize) -> Vec<Digest> {
    if leaves.len() <= 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut path, sibling) = if index < left.len() {
        (inclusion(left, index), right)
    } else {
        (inclusion(right, index - left.len()), left)
    };
    path.push(root(sibling));
    path
}

/// The root that a tree of `size` leaves has if `leaf` is its number `index` and `path` shows it (§2.1.3.2).
pub(crate) fn root_by_inclusion(
    leaf: Digest,
    index: u64,
    size: u64,
    path: &[Digest],
) -> Option<Digest> {
    if index >= size || path.len() > PATH_MAX {
        return None;
    }
    let (mut at, mut last, mut found) = (index, size - 1, leaf);
    for sibling in path {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            found = node(sibling, &found);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            found = node(&found, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    (last == 0).then_some(found)
}

/// Shows that the first `size` leaves, at least one, are the beginning of the tree.
pub(crate) fn consistency(leaves: &[Digest], size: usize) -> Vec<Digest> {
    beginning(leaves, size, true)
}

/// SUBPROOF of §2.1.4.1.
fn beginning(leaves: &[Digest], size: usize, is_whole: bool) -> Vec<Digest> {
    if size == leaves.len() {
        return if is_whole {
            Vec::new()
        } else {
            vec![root(leaves)]
        };
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut path, sibling) = if size <= left.len() {
        (beginning(left, size, is_whole), right)
    } else {
        (beginning(right, size - left.len(), false), left)
    };
    path.push(root(sibling));
    path
}

/// Whether `path` shows that `old` of `old_size` leaves, at least one, is the beginning of `new` (§2.1.4.2).
pub(crate) fn is_beginning(
    (old_size, old): (u64, Digest),
    (new_size, new): (u64, Digest),
    path: &[Digest],
) -> bool {
    if old_size == 0 || old_size > new_size || path.len() > PATH_MAX {
        return false;
    }
    if old_size == new_size {
        return path.is_empty() && old == new;
    }
    // A whole subtree need not be told: it is the old root itself.
    let mut path = path.iter();
    let first = if old_size.is_power_of_two() {
        old
    } else {
        match path.next() {
            Some(first) => *first,
            None => return false,
        }
    };
    let (mut at, mut last) = (old_size - 1, new_size - 1);
    while at & 1 == 1 {
        (at, last) = (at >> 1, last >> 1);
    }
    let (mut found_old, mut found_new) = (first, first);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            found_old = node(sibling, &found_old);
            found_new = node(sibling, &found_new);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            found_new = node(&found_new, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && found_old == old && found_new == new
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(count: u8) -> Vec<Digest> {
        (0..count).map(|i| Digest::of("leaf", &[&[i]])).collect()
    }

    #[test]
    fn the_root_is_the_tree_of_the_standard() {
        let l = leaves(5);
        let four = node(&node(&l[0], &l[1]), &node(&l[2], &l[3]));
        assert_eq!(root(&l), node(&four, &l[4]));
        assert_eq!(root(&l[..1]), l[0]);
    }

    #[test]
    fn every_leaf_is_shown_to_be_where_it_is_and_nowhere_else() {
        for size in 1..=20u8 {
            let all = leaves(size);
            for index in 0..all.len() {
                let path = inclusion(&all, index);
                for claimed in 0..all.len() {
                    let found =
                        root_by_inclusion(all[claimed], index as u64, u64::from(size), &path);
                    assert_eq!(found == Some(root(&all)), claimed == index);
                }
                let elsewhere =
                    root_by_inclusion(all[index], index as u64 + 1, u64::from(size), &path);
                assert_ne!(elsewhere, Some(root(&all)));
                let longer = [path.as_slice(), &all[..1]].concat();
                let found = root_by_inclusion(all[index], index as u64, u64::from(size), &longer);
                assert_eq!(found, None);
            }
        }
    }

    #[test]
    fn every_beginning_is_shown_and_no_other() {
        for size in 1..=20 {
            let all = leaves(size);
            let new = (u64::from(size), root(&all));
            for old_size in 1..=all.len() {
                let path = consistency(&all, old_size);
                let old = (old_size as u64, root(&all[..old_size]));
                assert!(is_beginning(old, new, &path), "{old_size} of {size}");
                let mut forked = all.clone();
                forked[old_size - 1].0[0] ^= 1;
                let other = (old_size as u64, root(&forked[..old_size]));
                assert!(!is_beginning(other, new, &path), "{old_size} of {size}");
                assert!(!is_beginning((old.0 + 1, old.1), new, &path));
                let longer = [path.as_slice(), &all[..1]].concat();
                assert!(!is_beginning(old, new, &longer));
                for at in 0..path.len() {
                    let mut changed = path.clone();
                    changed[at].0[0] ^= 1;
                    assert!(!is_beginning(old, new, &changed));
                    assert!(!is_beginning(old, new, &path[..at]));
                }
            }
        }
    }
}
