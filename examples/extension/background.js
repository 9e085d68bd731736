// A tab, not a popup: a popup's page ends when it loses the focus, and the model with it.
chrome.action.onClicked.addListener(() => chrome.tabs.create({ url: "page.html" }));
