//! Parts of the page: elements that are made once, and made anew when they change.
//!
//! What a view's type knows of itself (how to take it over from the server's page, how to change each attribute in place)
//! would be half of what a phone has to load, once for each view. Here all that is lost at the border: a part that the
//! server has rendered is taken as it stands, without looking into it, and one that changes is replaced. So **nothing
//! inside of a part that the page may arrive with reacts to anything**; what must stay the same element while its words
//! change is changed by `browser::words`.

use leptos::{
    attr::{Attribute, any_attribute::AnyAttribute},
    prelude::*,
    tachys::{
        hydration::Cursor,
        renderer::{CastFrom, Rndr, types},
        view::{Position, PositionState},
    },
};

/// True where parts are made as elements; else they are made as text.
const BROWSER: bool = cfg!(target_arch = "wasm32");

/// One element, made when it is needed.
pub(super) struct Part {
    key: Option<u64>,
    make: Box<dyn FnOnce() -> Made + Send>,
}

enum Made {
    Html(String),
    /// The element, and what keeps alive that which reacts inside of it.
    Element(Option<types::Element>, Box<dyn Kept>),
}

/// What is kept and never looked at.
trait Kept {}

impl<T> Kept for T {}

/// A part that is made anew whenever what it stands in is looked at again.
pub(super) fn part<V>(make: impl FnOnce() -> V + Send + 'static) -> Part
where
    V: RenderHtml,
    V::State: 'static,
{
    Part { key: None, make: Box::new(move || made(make())) }
}

fn made<V>(view: V) -> Made
where
    V: RenderHtml,
    V::State: 'static,
{
    if BROWSER {
        let state = view.build();
        Made::Element(state.elements().pop(), Box::new(state))
    } else {
        Made::Html(view.to_html())
    }
}

impl Part {
    /// A part that stays the same element for as long as it has this key. Keys rise from part to part.
    pub(super) fn keyed(self, key: u64) -> Self {
        Part { key: Some(key), ..self }
    }
}

/// Parts that follow each other.
pub(super) struct Parts(Vec<Part>);

impl From<Vec<Part>> for Parts {
    fn from(parts: Vec<Part>) -> Self {
        Parts(parts)
    }
}

impl From<Option<Part>> for Parts {
    fn from(part: Option<Part>) -> Self {
        Parts(part.into_iter().collect())
    }
}

/// Parts that are looked at again when a signal changes that was read for them. All of them are of one type.
pub(super) fn live<P: Into<Parts>>(parts: impl Fn() -> P + Send + 'static) -> Box<dyn FnMut() -> Parts + Send> {
    Box::new(move || parts().into())
}

/// What stands in the page.
struct Shown {
    key: Option<u64>,
    element: types::Element,
    _kept: Option<Box<dyn Kept>>,
}

/// The parts that stand in the page, and the mark behind them.
pub(super) struct PartsState {
    shown: Vec<Shown>,
    mark: types::Placeholder,
}

impl Render for Parts {
    type State = PartsState;

    fn build(self) -> PartsState {
        PartsState { shown: self.0.into_iter().filter_map(make).collect(), mark: Rndr::create_placeholder() }
    }

    fn rebuild(self, state: &mut PartsState) {
        let mut before = std::mem::take(&mut state.shown).into_iter().peekable();
        for part in self.0 {
            while let Some(mut gone) = before.next_if(|shown| shown.key.is_none() || shown.key < part.key) {
                gone.element.unmount();
            }
            if part.key.is_some()
                && let Some(same) = before.next_if(|shown| shown.key == part.key)
            {
                state.shown.push(same);
            } else if let Some(mut new) = make(part) {
                match before.peek() {
                    Some(next) => next.element.insert_before_this(&mut new.element),
                    None => state.mark.insert_before_this(&mut new.element),
                };
                state.shown.push(new);
            }
        }
        before.for_each(|mut gone| gone.element.unmount());
    }
}

fn make(Part { key, make }: Part) -> Option<Shown> {
    match make() {
        Made::Element(element, kept) => Some(Shown { key, element: element?, _kept: Some(kept) }),
        Made::Html(_) => None,
    }
}

impl Mountable for PartsState {
    fn unmount(&mut self) {
        self.shown.iter_mut().for_each(|shown| shown.element.unmount());
        self.mark.unmount();
    }

    fn mount(&mut self, parent: &types::Element, marker: Option<&types::Node>) {
        self.shown.iter_mut().for_each(|shown| shown.element.mount(parent, marker));
        self.mark.mount(parent, marker);
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        match self.shown.first() {
            Some(first) => first.element.insert_before_this(child),
            None => self.mark.insert_before_this(child),
        }
    }

    fn elements(&self) -> Vec<types::Element> {
        self.shown.iter().map(|shown| shown.element.clone()).collect()
    }
}

impl AddAnyAttr for Parts {
    type Output<Added: Attribute> = Self;

    fn add_any_attr<Added: Attribute>(self, _: Added) -> Self {
        self
    }
}

impl RenderHtml for Parts {
    type AsyncOutput = Self;
    type Owned = Self;

    const MIN_LENGTH: usize = 0;

    fn dry_resolve(&mut self) {}

    async fn resolve(self) -> Self {
        self
    }

    fn to_html_with_buf(
        self,
        buf: &mut String,
        position: &mut Position,
        _escape: bool,
        _mark_branches: bool,
        _extra_attrs: Vec<AnyAttribute>,
    ) {
        for part in self.0 {
            if let Made::Html(html) = (part.make)() {
                buf.push_str(&html);
            }
        }
        buf.push_str("<!>");
        *position = Position::NextChild;
    }

    fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> PartsState {
        let taken = |part: Part| Some(Shown { key: part.key, element: next(cursor, position)?, _kept: None });
        PartsState { shown: self.0.into_iter().filter_map(taken).collect(), mark: cursor.next_placeholder(position) }
    }

    fn into_owned(self) -> Self {
        self
    }
}

/// The element at which the taking over has arrived.
fn next(cursor: &Cursor, position: &PositionState) -> Option<types::Element> {
    if position.get() == Position::FirstChild {
        cursor.child();
    } else if position.get() != Position::Current {
        cursor.sibling();
    }
    position.set(Position::NextChild);
    types::Element::cast_from(cursor.current())
}

/// An element that stands in the page from the beginning to its end: only the server can make it.
pub(super) struct Still(String);

/// An element that only the server makes.
pub(super) fn still<V: RenderHtml>(make: impl FnOnce() -> V) -> Still {
    Still(if BROWSER { String::new() } else { make().to_html() })
}

impl Render for Still {
    type State = Option<types::Element>;

    fn build(self) -> Self::State {
        None
    }

    fn rebuild(self, _: &mut Self::State) {}
}

impl AddAnyAttr for Still {
    type Output<Added: Attribute> = Self;

    fn add_any_attr<Added: Attribute>(self, _: Added) -> Self {
        self
    }
}

impl RenderHtml for Still {
    type AsyncOutput = Self;
    type Owned = Self;

    const MIN_LENGTH: usize = 0;

    fn dry_resolve(&mut self) {}

    async fn resolve(self) -> Self {
        self
    }

    fn to_html_with_buf(
        self,
        buf: &mut String,
        position: &mut Position,
        _escape: bool,
        _mark_branches: bool,
        _extra_attrs: Vec<AnyAttribute>,
    ) {
        buf.push_str(&self.0);
        *position = Position::NextChild;
    }

    fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> Self::State {
        next(cursor, position)
    }

    fn into_owned(self) -> Self {
        self
    }
}
