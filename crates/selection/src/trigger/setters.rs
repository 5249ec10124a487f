//! The setters of a draw, as the trigger deals with them: one for each committee.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::{Digest, Instant, Location, NodeId, Outbox};
use community::Contact;

use super::{Progress, Stage, Trigger};
use crate::context::Context;
use crate::fault::Misbehaviour;
use crate::list::ActorList;
use crate::protocol::{Event, Failure, Selection};
use crate::random::{Draw, VerifiableRandom};
use crate::relocation::Sparse;
use crate::setting::{Drawing, NoSetter, Setting};
use crate::site::Site;

/// Whom T asks.
impl Trigger {
    /// Asks a setter for each committee.
    pub(super) fn ask_setters(
        &mut self,
        context: &Context,
        now: Instant,
        random: Box<VerifiableRandom>,
        value: Digest,
        out: &mut Outbox<Selection>,
    ) -> Progress {
        let settings = Site::all(self.committees).map(|site| Setting::new(site, now));
        self.stage = Stage::Setting {
            random,
            value,
            settings: settings.collect(),
        };
        let all = 0..self.committees as usize;
        self.set_up(context, now, all, |_| Ok(()), out)
    }

    /// Changes these settings and asks on; what cannot go on needs a new attempt.
    pub(super) fn set_up(
        &mut self,
        context: &Context,
        now: Instant,
        which: impl IntoIterator<Item = usize>,
        mut change: impl FnMut(&mut Setting) -> Result<(), NoSetter>,
        out: &mut Outbox<Selection>,
    ) -> Progress {
        self.check_time(now)?;
        let Stage::Setting {
            random,
            value,
            settings,
        } = &mut self.stage
        else {
            return Ok(());
        };
        let drawing = Drawing {
            random,
            value: *value,
            seats: self.seats,
        };
        for which in which {
            let setting = &mut settings[which];
            let asked = change(setting).and_then(|()| setting.ask(context, now, &drawing, out));
            if asked.is_err() {
                return self.next_attempt(now, Failure::TooManyAttempts, out);
            }
        }
        self.wait_for_setters(out);
        Ok(())
    }

    pub(super) fn wait_for_setters(&mut self, out: &mut Outbox<Selection>) {
        if let Stage::Setting { settings, .. } = &self.stage {
            let open = settings.iter().filter(|setting| setting.list.is_none());
            if let Some(first) = open.map(|setting| setting.until).min() {
                self.wait(first, out);
            }
        }
    }

    /// The settings that this is true for.
    pub(super) fn settings(&self, which: impl Fn(&Setting) -> bool) -> Vec<usize> {
        let Stage::Setting { settings, .. } = &self.stage else {
            return Vec::new();
        };
        let open = |setting: &Setting| setting.list.is_none() && which(setting);
        let numbered = settings.iter().enumerate();
        numbered
            .filter(|(_, setting)| open(setting))
            .map(|(number, _)| number)
            .collect()
    }

    /// The next nearest, with the same random.
    pub(super) fn replace_setters(
        &mut self,
        context: &Context,
        now: Instant,
        which: Vec<usize>,
        out: &mut Outbox<Selection>,
    ) -> Progress {
        self.set_up(context, now, which, Setting::skip, out)
    }
}

/// What they say.
impl Trigger {
    /// A setter gave a list: all lists, when it holds and was the last one.
    pub fn on_list(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        list: Box<ActorList>,
        out: &mut Outbox<Selection>,
    ) -> Result<Option<Vec<ActorList>>, Failure> {
        let asked =
            |setting: &Setting| (setting.site, setting.setter) == (list.body.site, Some(from));
        let which = self.settings(asked);
        let Stage::Setting {
            value, settings, ..
        } = &self.stage
        else {
            return Ok(None);
        };
        let [which] = which[..] else {
            return Ok(None);
        };
        let seated = settings
            .iter()
            .filter_map(|setting| setting.list.as_deref());
        let checked = self.check_list(context, now, &list, *value, from);
        let checked = checked.and_then(|()| check_apart(&list, seated));
        if let Err(what) = checked {
            out.emit(Event::Misbehaved { node: from, what });
            self.next_attempt(now, Failure::TooManyAttempts, out)?;
            return Ok(None);
        }
        if let Stage::Setting { settings, .. } = &mut self.stage {
            settings[which].list = Some(list);
            if settings.iter().all(|setting| setting.list.is_some()) {
                let lists = settings.drain(..).filter_map(|setting| setting.list);
                return Ok(Some(lists.map(|list| *list).collect()));
            }
        }
        self.wait_for_setters(out);
        Ok(None)
    }

    fn check_list(
        &self,
        context: &Context,
        now: Instant,
        list: &ActorList,
        random: Digest,
        setter: NodeId,
    ) -> Result<(), Misbehaviour> {
        let body = &list.body;
        if body.draw != self.draw || body.random != random {
            return Err(Misbehaviour::OtherDraw);
        }
        if body.setter != setter {
            return Err(Misbehaviour::WrongSetter);
        }
        if body.actors.len() != self.seats as usize {
            return Err(Misbehaviour::Seats);
        }
        list.verify(&context.rules, now, self.draw.digest)
    }

    /// A setter found too few nodes at its point: the draw moves on, unless every point has the same ones.
    pub fn on_sparse(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        sparse: Sparse,
        out: &mut Outbox<Selection>,
    ) -> Progress {
        let body = &sparse.body;
        let asked = |setting: &Setting| (setting.site, setting.setter) == (body.site, Some(from));
        let which = self.settings(asked);
        let Stage::Setting { value, .. } = &self.stage else {
            return Ok(());
        };
        if which.is_empty() {
            return Ok(());
        }
        let (value, wanted) = (*value, (self.draw, self.seats));
        let checked = if (body.draw, body.seats) != wanted || body.random != value {
            Err(Misbehaviour::OtherDraw)
        } else if body.setter != from {
            Err(Misbehaviour::WrongSetter)
        } else {
            sparse.verify(&context.rules, now)
        };
        if let Err(what) = checked {
            out.emit(Event::Misbehaved { node: from, what });
            return self.next_attempt(now, Failure::TooManyAttempts, out);
        }
        if context.rules.is_small() || body.site.next().is_none() {
            return self.next_attempt(now, Failure::TooFewCandidates, out);
        }
        let relocate = |setting: &mut Setting| setting.relocate(sparse.clone(), now);
        self.set_up(context, now, which, relocate, out)
    }

    /// The nodes around a point were found.
    pub fn on_found(
        &mut self,
        context: &Context,
        now: Instant,
        point: Location,
        contacts: &[Arc<Contact>],
        out: &mut Outbox<Selection>,
    ) -> Progress {
        let Stage::Setting { value, .. } = &self.stage else {
            return Ok(());
        };
        let value = *value;
        let sought =
            |setting: &Setting| setting.is_looking() && setting.site.point(&value) == point;
        let which = self.settings(sought);
        if which.is_empty() || contacts.is_empty() {
            return Ok(());
        }
        let learn = |setting: &mut Setting| {
            setting.learn(contacts.iter().cloned());
            Ok(())
        };
        self.set_up(context, now, which, learn, out)
    }

    /// A setter could not complete the draw.
    pub fn on_setter_gave_up(
        &mut self,
        now: Instant,
        from: NodeId,
        (draw, site): (Draw, Site),
        out: &mut Outbox<Selection>,
    ) -> Progress {
        let asked = |setting: &Setting| (setting.site, setting.setter) == (site, Some(from));
        if draw != self.draw || self.settings(asked).is_empty() {
            return Ok(());
        }
        self.next_attempt(now, Failure::TooManyAttempts, out)
    }
}

/// Checks that nobody sits in two committees of one draw.
fn check_apart<'a>(
    list: &ActorList,
    mut others: impl Iterator<Item = &'a ActorList>,
) -> Result<(), Misbehaviour> {
    let actors: BTreeSet<_> = list.actors().iter().collect();
    let shares = |other: &ActorList| other.actors().iter().any(|actor| actors.contains(actor));
    if others.any(shares) {
        Err(Misbehaviour::DoubleSeat)
    } else {
        Ok(())
    }
}
