//! Which folder is meant, if none is named: in the user's data folder one for each community, with `authority` and `node`.

use std::fs;
use std::path::{Path, PathBuf};

use base::Digest;
use etcetera::BaseStrategy;

use super::{AUTHORITY, Failure};
use crate::config::{Environment, Typed, Values};
use crate::home::{BEGUN, Home};

/// Who keeps something in a community's folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Who founded it.
    Authority,
    /// A member.
    Node,
}

impl Role {
    fn folder(self) -> &'static str {
        match self {
            Self::Authority => "authority",
            Self::Node => "node",
        }
    }

    /// One of these is in every such folder, unless somebody's keys are gone.
    fn files(self) -> &'static [&'static str] {
        match self {
            Self::Authority => &["descriptor.cbor"],
            Self::Node => &["keys.cbor", "joining.cbor", BEGUN],
        }
    }

    fn is_in(self, folder: &Path) -> bool {
        // What was cut short has left a community, and is of none.
        if Home::at(folder).is_cut_short() && !folder.join(AUTHORITY).exists() {
            return self == Self::Node && folder.join("joining.cbor").exists();
        }
        let lost = self == Self::Node && Home::at(folder).is_orphaned();
        lost || self.files().iter().any(|file| folder.join(file).exists())
    }
}

/// Whether there are keys that wait to be certified, and no more: nobody lives there, and nobody may ever.
fn only_waits(folder: &Path) -> bool {
    let home = Home::at(folder);
    !home.is_inhabited() && !home.is_begun() && !home.is_orphaned()
}

/// A new folder for a community.
pub fn make(named: Option<&Path>, name: &str, id: &Digest, role: Role) -> Result<PathBuf, Failure> {
    match named {
        Some(folder) => Ok(folder.to_path_buf()),
        None => {
            if let Some(folder) = configured(role)? {
                return Ok(folder);
            }
            let data = data()?;
            // What its owner has begun on the page goes on; who has lost its keys is to get in again, and no other node takes
            // its place.
            let home = Home::at(&data);
            match role == Role::Node && (home.is_begun() || home.is_orphaned()) {
                true => Ok(data),
                false => Ok(data.join(slug(name, id)).join(role.folder())),
            }
        }
    }
}

/// The folder that is there.
pub fn find(named: Option<&Path>, roles: &[Role]) -> Result<PathBuf, Failure> {
    find_for(named, roles, |_| false)
}

/// The same; of several, the only one that is meant.
pub fn find_for(
    named: Option<&Path>,
    roles: &[Role],
    is_meant: impl Fn(&Path) -> bool,
) -> Result<PathBuf, Failure> {
    if let Some(folder) = named {
        if roles.iter().any(|role| role.is_in(folder)) {
            return Ok(folder.to_path_buf());
        }
        must_be_complete(folder)?;
        let (folder, what) = (folder.display(), roles[0].folder());
        return Err(Failure::Failed(format!(
            "there is no community's {what} in {folder}; check --dir"
        )));
    }
    for role in roles {
        if let Some(folder) = configured(*role)?.filter(|folder| role.is_in(folder)) {
            return Ok(folder);
        }
    }
    let data = data()?;
    for role in roles {
        match all(&data, *role).as_slice() {
            [] => {}
            [one] => return Ok(one.clone()),
            many => {
                let meant: Vec<_> = many.iter().filter(|folder| is_meant(folder)).collect();
                if let [one] = meant[..] {
                    return Ok(one.clone());
                }
                let names: Vec<_> = many.iter().map(|one| one.display().to_string()).collect();
                return Err(Failure::Usage(format!(
                    "there are several communities; name one with --dir: {}",
                    names.join(", ")
                )));
            }
        }
    }
    must_be_complete(&data)?;
    let how = match roles[0] {
        Role::Authority => "found one with: commonhold community create NAME",
        Role::Node => "join one with: commonhold community join TICKET",
    };
    Err(Failure::Failed(format!(
        "there is no community in {}; name its folder with --dir, or {how}",
        data.display()
    )))
}

/// Says so where what was to make a node was cut short.
fn must_be_complete(folder: &Path) -> Result<(), Failure> {
    let home = Home::at(folder);
    match home.is_cut_short() {
        true => Err(Failure::Failed(home.nobody().to_string())),
        false => Ok(()),
    }
}

/// Where the only node in the user's data folder lives, or would live. Those that wait to be let in count where there is no
/// other.
///
/// # Errors
///
/// The folders, where there are several.
pub fn only_node(data: &Path) -> Result<PathBuf, Vec<PathBuf>> {
    let mut nodes = all(data, Role::Node);
    if nodes.len() > 1 {
        nodes.retain(|folder| !only_waits(folder));
    }
    match nodes.as_slice() {
        [] => Ok(data.to_path_buf()),
        [one] => Ok(one.clone()),
        _ => Err(nodes),
    }
}

/// All that there are of this role: in the data folder, and where the configuration says.
pub fn known(role: Role) -> Result<Vec<PathBuf>, Failure> {
    let mut known = all(&data()?, role);
    known.extend(configured(role)?.filter(|folder| role.is_in(folder)));
    Ok(known)
}

fn all(data: &Path, role: Role) -> Vec<PathBuf> {
    let entries = fs::read_dir(data).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .map(|entry| entry.path().join(role.folder()))
        .filter(|folder| role.is_in(folder))
        .collect();
    found.sort();
    // A node may live in the data folder itself.
    if role == Role::Node && role.is_in(data) {
        found.insert(0, data.to_path_buf());
    }
    found
}

/// Where the configuration says that the node lives, if it does.
fn configured(role: Role) -> Result<Option<PathBuf>, Failure> {
    match role {
        Role::Authority => Ok(None),
        Role::Node => Values::gather(&Typed::default(), &Environment::own())
            .map(|values| values.folder())
            .map_err(|why| Failure::Usage(why.to_string())),
    }
}

fn data() -> Result<PathBuf, Failure> {
    let strategy = etcetera::base_strategy::Xdg::new().map_err(|_| {
        Failure::Failed("your home folder cannot be found; name a folder with --dir".into())
    })?;
    Ok(strategy.data_dir().join("commonhold"))
}

/// A name for a folder: letters and digits of the community's name, and the beginning of its digest.
fn slug(name: &str, id: &Digest) -> String {
    let mut slug = String::new();
    for letter in name.chars().flat_map(char::to_lowercase).take(40) {
        match letter {
            letter if letter.is_ascii_alphanumeric() => slug.push(letter),
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    if !slug.is_empty() && !slug.ends_with('-') {
        slug.push('-');
    }
    slug + &id.to_string()[..8]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_node_is_found_and_of_several_none_is_chosen() {
        let data = tempfile::tempdir().unwrap();
        let settle = |folder: &str| {
            let folder = data.path().join(folder);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("keys.cbor"), "").unwrap();
            folder
        };
        assert_eq!(only_node(data.path()), Ok(data.path().to_path_buf()));
        let first = settle("gardeners-abababab/node");
        assert_eq!(only_node(data.path()), Ok(first.clone()));
        let second = settle("sleepers-cdcdcdcd/node");
        assert_eq!(
            only_node(data.path()),
            Err(vec![first.clone(), second.clone()])
        );
        let own = settle("");
        assert_eq!(only_node(data.path()), Err(vec![own, first, second]));
    }

    #[test]
    fn a_try_to_join_is_no_node_beside_others() {
        let data = tempfile::tempdir().unwrap();
        let put = |folder: &str, file: &str| {
            let folder = data.path().join(folder);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(file), "").unwrap();
            folder
        };
        let waiting = put("gardeners-abababab/node", "joining.cbor");
        assert_eq!(only_node(data.path()), Ok(waiting));
        put("sleepers-cdcdcdcd/node", "joining.cbor");
        assert_eq!(only_node(data.path()), Ok(data.path().to_path_buf()));
        let node = put("walkers-efefefef/node", "keys.cbor");
        assert_eq!(only_node(data.path()), Ok(node));
    }

    #[test]
    fn folders_have_plain_names() {
        let id = Digest([0xab; 32]);
        for (name, expected) in [
            ("Allotment gardeners", "allotment-gardeners-abababab"),
            ("../../etc", "etc-abababab"),
            ("Ärzte & Co.", "rzte-co-abababab"),
            ("日本", "abababab"),
        ] {
            assert_eq!(slug(name, &id), expected);
        }
        assert!(slug(&"x".repeat(100), &id).len() <= 49);
    }
}
