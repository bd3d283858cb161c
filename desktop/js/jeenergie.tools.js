/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * Shared by the scripts of the page: requests to the server, events of the daemon, elements, messages, ages.
 *
 * Everything is in window.jeenergiePage, created each time the core loads the page. Texts from the daemon are never used
 * as HTML.
 */
window.jeenergiePage = { data: window.jeenergieData, actions: {} };

(function(jn) {
  'use strict';

  const URL = 'plugins/jeenergie/core/ajax/jeenergie.ajax.php';

  /** Plain text of a sentence of the server, which is HTML; nothing in it is run or loaded. */
  jn.plain = function(html) {
    return new DOMParser().parseFromString(String(html), 'text/html').body.textContent.trim();
  };

  /** Posts to a script of the server. Rejects with an Error whose message is a sentence for the user. */
  jn.post = async function(url, form) {
    let answer;
    try {
      answer = await fetch(url, { method: 'POST', body: new URLSearchParams(form), credentials: 'same-origin', signal: jn.leaving.signal });
    } catch (error) {
      if (error.name === 'AbortError') return new Promise(function() { }); // the page was left, and the caller with it
      throw new Error('{{Jeedom ne répond pas : vérifiez que votre navigateur est toujours relié à lui.}}');
    }
    let content = null;
    try {
      content = await answer.json();
    } catch (error) {
      throw new Error('{{Jeedom a répondu par une erreur}} (' + answer.status + '). {{Regardez le log http.error.}}');
    }
    if (content.state !== 'ok') throw new Error(jn.plain(content.result));
    return content.result;
  };

  /** Posts an action to core/ajax/jeenergie.ajax.php, which documents them. */
  jn.ask = function(action, request) {
    return jn.post(URL, { action: action, request: JSON.stringify(request || {}) });
  };

  // The core empties the container when it leaves the page: pending requests are aborted, timers stop.
  jn.leaving = new AbortController();
  jn.isHere = function() {
    return window.jeenergiePage === jn && document.getElementById('div_jeenergie') !== null;
  };
  jn.every = function(seconds, task) {
    const timer = setInterval(function() {
      if (jn.isHere()) return task();
      clearInterval(timer);
      jn.leaving.abort();
    }, seconds * 1000);
  };

  /**
   * Calls the handler with the option of each event of that name.
   * The core sends a plugin's events through jQuery as long as it loads it, and natively once it does not.
   */
  jn.on = function(name, handler) {
    const guarded = function(option) {
      if (jn.isHere()) handler(option);
    };
    if (typeof jQuery === 'function') {
      jQuery('body').off(name).on(name, function(event, option) { guarded(option); });
    } else {
      document.body.registerEvent(name, function(event) { guarded(event.detail); });
    }
  };

  /** Makes an element. Options: class, text, html (only for our own texts), title, on: {event: handler}, others are attributes. */
  jn.el = function(tag, options, children) {
    const element = document.createElement(tag);
    Object.entries(options || {}).forEach(function([key, value]) {
      if (value === undefined || value === null || value === false) return;
      if (key === 'class') element.className = value;
      else if (key === 'text') element.textContent = value;
      else if (key === 'on') Object.entries(value).forEach(function([event, handler]) { element.addEventListener(event, handler); });
      else element.setAttribute(key, value === true ? '' : value);
    });
    [].concat(children || []).forEach(function(child) {
      if (child) element.append(child);
    });
    if (['a', 'button'].includes(tag) && options?.title && !element.textContent.trim()) element.setAttribute('aria-label', options.title);
    return element;
  };

  jn.icon = function(classes) {
    return jn.el('i', { class: classes });
  };

  /** A sentence whose punctuation stays on the line of its word, whose units on that of their numbers; the rule of core/src/Pages/Typography.php. */
  jn.bound = function(text) {
    return text.replace(/ (?=[:;!?»%€])|(?<=«) |(?<=\d) (?=(?:[kM]?(?:Wh?|VA)|[AVdhjlLs]|min|m³|°C)(?![\p{L}\d]))/gu, '\u00a0');
  };

  /** A text whose web addresses can be clicked. */
  jn.linked = function(text, options) {
    const element = jn.el('span', options);
    String(text).split(/(https?:\/\/[^\s«»"<>]*[^\s«»"<>.,;:!?)\]'])/i).forEach(function(part, index) {
      element.append(index % 2 ? jn.el('a', { href: part, target: '_blank', rel: 'noopener', text: part }) : part);
    });
    return element;
  };

  jn.button = function(label, icon, handler, classes) {
    return jn.el('a', { class: 'btn ' + (classes || 'btn-default'), role: 'button', tabindex: 0, on: { click: handler } }, [jn.icon(icon), ' ' + label]);
  };

  /** Shows a message in its place on the page; level: success, info, warning, danger or busy. */
  jn.notice = function(container, level, text, buttons) {
    if (!container) return;
    container.empty();
    if (!text) return;
    const icons = { success: 'fa-check-circle', info: 'fa-info-circle', warning: 'fa-exclamation-triangle', danger: 'fa-times-circle', busy: 'fa-circle-notch fa-spin' };
    container.append(jn.el('div', { class: 'alert alert-' + (level === 'busy' ? 'info' : level), role: level === 'danger' ? 'alert' : 'status' }, [
      jn.icon('fas ' + icons[level]),
      jn.linked(text, { class: 'jnText' }),
      buttons && buttons.length ? jn.el('span', { class: 'jnNoticeButtons' }, buttons) : null
    ]));
  };

  /** The same for the result of a user's action, scrolled into view. */
  jn.answer = function(container, level, text, buttons) {
    jn.notice(container, level, text, buttons);
    container?.scrollIntoView({ block: 'nearest' }); // the page may have been left meanwhile
  };

  jn.toast = function(level, text) {
    const holder = document.createElement('div');
    holder.textContent = text;
    jeedomUtils.showAlert({ message: holder.innerHTML, level: level });
  };

  /** Keeps a message for after the next load of the page. */
  jn.afterReload = function(level, text) {
    window.jeenergieAfterReload = { level: level, text: text };
  };
  jn.showAfterReload = function() {
    const message = window.jeenergieAfterReload;
    delete window.jeenergieAfterReload;
    if (message) jn.toast(message.level, message.text);
  };

  jn.hasUnsavedWork = function() {
    return Boolean(jeeFrontEnd.modifyWithoutSave || window.modifyWithoutSave || jeedomUtils.getOpenedModal());
  };
  jn.touched = function() {
    jeeFrontEnd.modifyWithoutSave = window.modifyWithoutSave = true;
  };
  jn.untouched = function() {
    jeeFrontEnd.modifyWithoutSave = window.modifyWithoutSave = false;
  };

  /** Disables an element while a promise is pending, so that a second click has no effect. */
  jn.busy = function(element, promise) {
    element?.addClass('disabled').setAttribute('aria-busy', 'true');
    const free = function() {
      element?.removeClass('disabled').removeAttribute('aria-busy');
    };
    promise.then(free, free);
    return promise;
  };

  jn.parseDate = function(text) {
    return text ? new Date(String(text).replace(' ', 'T')).getTime() : NaN;
  };

  // Dates are in the server's time, which may differ from the browser's.
  let serverAhead = 0;
  jn.setServerTime = function(now) {
    serverAhead = jn.parseDate(now) - Date.now();
  };
  jn.secondsSince = function(date) {
    return Math.max(0, Math.round((Date.now() + serverAhead - jn.parseDate(date)) / 1000));
  };

  /** Fills in the %s of a sentence, in order. */
  jn.fill = function(sentence, ...values) {
    return sentence.replace(/%s/g, function() { return values.shift(); });
  };

  /** "%s thing|%s things": the part that the number asks for in the user's language, the number being its first %s. */
  jn.counted = function(sentences, count, ...values) {
    const parts = sentences.split('|');
    return jn.fill(parts[jn.isOne(count, language()) ? 0 : 1] || parts[0], jn.decimal(count), ...values);
  };

  /** Whether a number takes the singular in a language. */
  jn.isOne = function(count, spoken) {
    return new Intl.PluralRules(spoken.replace('_', '-')).select(count) === 'one';
  };

  /** "What: what is said of it", as the user's language writes it. */
  jn.says = function(what, said) {
    return jn.fill('{{%s : %s}}', what, said);
  };

  /** Type and name of equipment, the name in the quotes of the user's language. */
  jn.named = function(type, name) {
    return type + ' ' + jn.fill('{{« %s »}}', name);
  };

  const language = function() { return String(jeeFrontEnd.language || 'fr_FR').replace('_', '-'); };

  /** A number as the reader writes it. */
  jn.decimal = function(number) {
    return Number(number).toLocaleString(language(), { maximumFractionDigits: 4 });
  };

  /** Keeps the characters that the core would remove from a name by others, and says so below the input. */
  jn.acceptedName = function(name) {
    const replacements = jn.data.replacements || {};
    return Array.from(name).map(function(each) { return each in replacements ? replacements[each] : each; }).join('');
  };
  jn.nameInput = function(input) {
    const told = jn.el('span', { class: 'jnHelp', role: 'status' });
    input.after(told);
    input.addEventListener('change', function() {
      const replacements = jn.data.replacements || {};
      const found = Array.from(new Set(input.value)).filter(function(each) { return each in replacements; });
      told.textContent = found.length ? jn.fill("{{Jeedom n'accepte pas %s dans un nom : remplacé.}}", found.map(function(each) { return jn.fill('{{« %s »}}', each); }).join(', ')) : '';
      input.value = jn.acceptedName(input.value);
    });
    return input;
  };

  /** "il y a 3 min", from a date of the server. */
  jn.age = function(date) {
    const seconds = jn.secondsSince(date);
    if (isNaN(seconds)) return '';
    if (seconds < 5) return "{{à l'instant}}";
    const units = [[60, 1, 's'], [3600, 60, 'min'], [172800, 3600, 'h'], [Infinity, 86400, '{{j}}']];
    const unit = units.find(function(each) { return seconds < each[0]; });
    return jn.fill('{{il y a %s}}', Math.floor(seconds / unit[1]) + ' ' + unit[2]);
  };

  /** Day and time in the format of the user's language. */
  jn.moment = function(date) {
    return new Date(jn.parseDate(date)).toLocaleString(language(), { day: '2-digit', month: '2-digit', hour: '2-digit', minute: '2-digit' });
  };

  jn.backend = function(name) {
    return jn.data.catalogue.backends[name] || { name: name, connection: { fields: [], operations: [] }, equipment: {} };
  };

  /** Opens a connection or an equipment, as a click on its card does. */
  jn.open = function(id) {
    jeedomUtils.loadPage('index.php?v=d&m=jeenergie&p=jeenergie&id=' + id);
  };
  jn.reload = function() {
    jn.isReloading = true;
    const id = document.querySelector('.eqLogic')?.isVisible() ? '&id=' + getUrlVars('id') : '';
    jeedomUtils.loadPage('index.php?v=d&m=jeenergie&p=jeenergie' + id + window.location.hash, true);
  };

  /** Remembered in this browser. */
  jn.recall = function(key) {
    try {
      return JSON.parse(localStorage.getItem('jeenergie::' + key)) || [];
    } catch (error) {
      return [];
    }
  };
  jn.remember = function(key, value) {
    try {
      localStorage.setItem('jeenergie::' + key, JSON.stringify(value));
    } catch (error) { /* a browser that keeps nothing */ }
  };

  jn.setServerTime(jn.data.list.now);
})(window.jeenergiePage);
