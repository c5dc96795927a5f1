//! A stream of server-sent events, read by fetch: unlike a browser's own reader, it sees what was answered in its place,
//! and every byte that comes, heartbeats too.

use domain::sse::{Decoder, Frame};
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, ReadableStreamDefaultReader};

use super::{dom, http};

/// What comes of a stream, in this order.
pub(super) enum News {
    /// It was answered. The newest entry's id then, where the stream is a session's.
    Answered(Option<u64>),
    /// Bytes came, and with them these frames, which may be none.
    Frames(Vec<Frame>),
    /// It is over: with the status of what was no stream, or with 200 where it was one. Nothing comes after that.
    Ended(u16),
}

/// A handle to one stream.
pub(super) struct Source(Option<AbortController>);

impl Source {
    /// Opens the stream at this address and tells what comes of it.
    pub(super) fn open(url: String, told: impl FnMut(News) + 'static) -> Self {
        Self::open_boxed(url, Box::new(told))
    }

    fn open_boxed(url: String, mut told: Box<dyn FnMut(News)>) -> Self {
        let controller = AbortController::new().ok();
        let signal = controller.as_ref().map(AbortController::signal);
        dom::spawn(async move {
            let answer = http::get(&url, signal).await;
            let status = answer.status();
            let body = answer.response().filter(|_| status == 200).and_then(web_sys::Response::body);
            if let Some(body) = body {
                told(News::Answered(answer.header("x-breakglass-head").and_then(|head| head.parse().ok())));
                let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
                let mut decoder = Decoder::default();
                while let Ok(read) = JsFuture::from(reader.read()).await {
                    let Ok(bytes) = Reflect::get(&read, &"value".into()).and_then(JsCast::dyn_into::<Uint8Array>)
                    else {
                        break;
                    };
                    told(News::Frames(decoder.push(&bytes.to_vec())));
                }
            }
            told(News::Ended(status));
        });
        Source(controller)
    }
}

/// Nobody reads it any more. What its end tells comes all the same.
impl Drop for Source {
    fn drop(&mut self) {
        if let Some(controller) = &self.0 {
            controller.abort();
        }
    }
}
