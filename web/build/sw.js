// `VERSION` and `FILES` are written above by the build. Only the page's own files are kept here: models have a cache of their own.
const CACHE = `goldcrest-${VERSION}`;
const SCOPE = new URL("./", self.location.href);
const KNOWN = new Set(FILES.map((file) => new URL(file, SCOPE).href));

self.addEventListener("install", (event) => {
  const fetchAll = async () => {
    const cache = await caches.open(CACHE);
    // Past the browser's own cache: a version consists of files of one build.
    await cache.addAll(FILES.map((file) => new Request(new URL(file, SCOPE), { cache: "reload" })));
    await self.skipWaiting();
  };
  event.waitUntil(fetchAll());
});

self.addEventListener("activate", (event) => {
  const takeOver = async () => {
    const names = await caches.keys();
    await Promise.all(names.filter((name) => name.startsWith("goldcrest-") && name !== CACHE).map((name) => caches.delete(name)));
    await self.clients.claim();
  };
  event.waitUntil(takeOver());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const url = new URL(request.url);
  const page = request.mode === "navigate" && url.origin === SCOPE.origin && url.pathname.startsWith(SCOPE.pathname);
  url.search = "";
  url.hash = "";
  if (!page && !KNOWN.has(url.href)) return;
  const answer = async () => {
    const cache = await caches.open(CACHE);
    return (await cache.match(page ? SCOPE.href : url.href)) ?? fetch(request);
  };
  event.respondWith(answer());
});
