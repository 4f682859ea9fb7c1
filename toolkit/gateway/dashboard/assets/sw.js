// So that the page can be installed, and says so itself when the gateway is away. Nothing of a node is kept here.
const NAME = "micros-1";
const KEPT = ["/gui-assets/away.html", "/gui-assets/icon.svg"];

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(NAME).then((kept) => kept.addAll(KEPT)).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  if (event.request.mode !== "navigate") return;
  event.respondWith(fetch(event.request).catch(() => caches.match("/gui-assets/away.html")));
});
