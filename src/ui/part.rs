//! Parts of the page: elements that are made once, and made anew when they change.
//!
//! What a view's type knows of itself (how to take it over from the server's page, how to change each attribute in place)
//! would be half of what a phone has to load, once for each view. So a part is markup: one that the server has rendered is
//! taken as it stands, without looking into it, and one that changes is replaced. **Nothing inside of a part reacts to
//! anything**; what must stay the same element while its words change is changed by `browser::words`, and a part that holds
//! others (`around`) lets each of them come and go by itself.

use leptos::tachys::renderer::{CastFrom, Rndr, types};

use super::html::Html;

/// The least and the greatest key that an element stands for.
type Keys = Option<(u64, u64)>;

/// One element, made when it is needed.
pub struct Part {
    keys: Keys,
    made: Made,
}

enum Made {
    Of(Box<dyn FnOnce() -> Html + Send>),
    Around(Around),
}

/// An element with parts inside.
pub(super) struct Around {
    /// What stands before the parts, with the beginnings of the elements that hold them, and the ends of those.
    pub before: Html,
    pub after: &'static str,
    pub fold: Option<Folds>,
    pub parts: Vec<Part>,
}

/// What changes in place where the parts stand in a list that folds out.
#[derive(Clone, PartialEq)]
pub(super) struct Folds {
    /// What stands in its summary.
    pub summary: Html,
    /// Whether it is to be open. A person may choose otherwise until this changes.
    pub open: bool,
}

/// A part that is made anew whenever what it stands in is looked at again.
pub(super) fn part(write: impl FnOnce(&mut Html) + Send + 'static) -> Part {
    Part { keys: None, made: Made::Of(Box::new(|| Html::of(write))) }
}

/// A part that holds others.
pub(super) fn around(around: Around) -> Part {
    Part { keys: None, made: Made::Around(around) }
}

impl Part {
    /// A part that stays the same element for as long as it has this key. Keys rise from part to part.
    pub(super) fn keyed(self, key: u64) -> Self {
        self.keyed_from(key, key)
    }

    /// A part that stays the same element for as long as the stretch of its keys has one in common with what it had.
    pub(super) fn keyed_from(self, least: u64, greatest: u64) -> Self {
        Part { keys: Some((least, greatest)), ..self }
    }

    /// All of it as text.
    pub(super) fn write(self, html: &mut String) {
        match self.made {
            Made::Of(make) => html.push_str(make().as_str()),
            Made::Around(Around { before, after, parts, .. }) => {
                html.push_str(before.as_str());
                parts.into_iter().for_each(|part| part.write(html));
                html.push_str(after);
            }
        }
    }

    /// The element, made.
    fn build(self) -> Option<Shown> {
        let keys = self.keys;
        match self.made {
            Made::Of(make) => Some(Shown { keys, element: element(make().as_str())?, inside: None }),
            Made::Around(Around { before, after, fold, parts }) => {
                let mut html = before.as_str().to_owned();
                html.push_str(after);
                let element = element(&html)?;
                let place = place(&element, fold.is_some())?;
                let mut shown = Vec::new();
                renew(parts, &mut shown, &place, None);
                Some(Shown { keys, element, inside: Some(Inside { place, fold, shown }) })
            }
        }
    }

    /// The element, taken as it stands.
    fn take(self, element: types::Element) -> Shown {
        let inside = match self.made {
            Made::Of(_) => None,
            Made::Around(Around { fold, parts, .. }) => place(&element, fold.is_some()).map(|place| {
                let mut next = place.first_element_child();
                let take = |part: Part| {
                    let element = next.take()?;
                    next = element.next_element_sibling();
                    Some(part.take(element))
                };
                let shown = parts.into_iter().filter_map(take).collect();
                Inside { place, fold, shown }
            }),
        };
        Shown { keys: self.keys, element, inside }
    }
}

/// The element that this markup is of.
fn element(html: &str) -> Option<types::Element> {
    let place = Rndr::create_element("div", None);
    #[expect(clippy::disallowed_methods, reason = "`Html` escapes every text and every value in it")]
    Rndr::set_inner_html(&place, html);
    place.first_element_child()
}

/// Where an element's parts stand: in itself, or in the list that it folds out.
fn place(element: &types::Element, folds: bool) -> Option<types::Element> {
    if folds { element.last_element_child()?.last_element_child() } else { Some(element.clone()) }
}

/// What stands in the page.
pub struct Shown {
    keys: Keys,
    element: types::Element,
    inside: Option<Inside>,
}

/// What stands inside.
struct Inside {
    place: types::Element,
    fold: Option<Folds>,
    shown: Vec<Shown>,
}

impl Inside {
    fn renew(&mut self, around: Around) {
        renew(around.parts, &mut self.shown, &self.place, None);
        if let (Some(fold), Some(before)) = (around.fold, &self.fold)
            && fold != *before
            && let (Some(summary), Some(details)) = (self.place.previous_element_sibling(), self.place.parent_element())
        {
            #[expect(clippy::disallowed_methods, reason = "`Html` escapes every text and every value in it")]
            Rndr::set_inner_html(&summary, fold.summary.as_str());
            if fold.open != before.open {
                if fold.open {
                    Rndr::set_attribute(&details, "open", "");
                } else {
                    Rndr::remove_attribute(&details, "open");
                }
            }
            self.fold = Some(fold);
        }
    }
}

/// Takes the parts that the server has put before the mark, as they stand.
pub fn taken(parts: Vec<Part>, mark: &types::Node) -> Vec<Shown> {
    let mut before = mark.previous_sibling();
    let take = |part: Part| {
        let element = types::Element::cast_from(before.take()?)?;
        before = element.previous_sibling();
        Some(part.take(element))
    };
    let mut shown: Vec<_> = parts.into_iter().rev().filter_map(take).collect();
    shown.reverse();
    shown
}

/// Shows these parts in the place of those that are shown, before the mark.
pub fn renew(parts: Vec<Part>, shown: &mut Vec<Shown>, place: &types::Element, mark: Option<&types::Node>) {
    let mut before = std::mem::take(shown).into_iter().peekable();
    for part in parts {
        while let Some(gone) = before.next_if(|shown| shown.keys.is_none() || last(shown.keys) < first(part.keys)) {
            gone.element.remove();
        }
        if let Some(mut same) = before.next_if(|shown| part.keys.is_some() && first(shown.keys) <= last(part.keys)) {
            same.keys = part.keys;
            if let (Some(inside), Made::Around(around)) = (&mut same.inside, part.made) {
                inside.renew(around);
            }
            shown.push(same);
        } else if let Some(new) = part.build() {
            let next = before.peek().map(|next| next.element.as_ref());
            Rndr::insert_node(place, new.element.as_ref(), next.or(mark));
            shown.push(new);
        }
    }
    before.for_each(|gone| gone.element.remove());
}

fn first(keys: Keys) -> Option<u64> {
    keys.map(|(first, _)| first)
}

fn last(keys: Keys) -> Option<u64> {
    keys.map(|(_, last)| last)
}
