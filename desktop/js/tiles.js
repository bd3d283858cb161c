/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * Writes new values into the tiles by purpose, on the dashboard and on the phone. The first tile of a page brings this
 * file with it; jeenergieTilesTold holds units, words and marks of the user's language (core/src/Tiles/Tile.php).
 */
(function() {
  'use strict';

  const told = window.jeenergieTilesTold;
  const AGES_MS = 30000;

  /** A text in the words that the user reads, where it is data, and with its dates as his language writes them. */
  function dated(text) {
    const word = (told.words || {})[text.toLowerCase()];
    return typeof word === 'string' ? word : text.replace(/\b(\d{4})-(\d\d)-(\d\d)\b/, told.marks.date);
  }

  /** A French sign of punctuation stays on the line of its word, a unit on that of its number; the rule of core/src/Pages/Typography.php. */
  function bound(text) {
    return text.replace(/ (?=[:;!?»%€])|(?<=«) |(?<=\d) (?=(?:[kM]?(?:Wh?|VA)|[AVdhjlLs]|min|m³|°C)(?![\p{L}\d]))/gu, '\u00a0');
  }

  /** A number in a unit that fits; the rule of core/src/Tiles/Figure.php (see core/contract/vectors/figures.json). */
  function figure(value, unit) {
    if (value === '' || value === null || !Number.isFinite(Number(value))) return value === '' || value === null ? '–' : dated(String(value));
    let number = Number(value);
    const down = (told.units[unit] || {}).down;
    if (down && number !== 0 && Math.abs(number) < 1) {
      number *= down[1];
      unit = down[0];
    }
    while ((told.units[unit] || {}).up && Math.abs(number) >= told.units[unit].up[2]) {
      const up = told.units[unit].up;
      number /= up[1];
      unit = up[0];
    }
    const size = Math.abs(number);
    const own = (told.units[unit] || {}).digits;
    const digits = own !== undefined ? own : size >= 100 || Math.floor(size) === size ? 0 : size >= 10 ? 1 : 2;
    const rounded = Math.round(size * Math.pow(10, digits)) / Math.pow(10, digits);
    const parts = rounded.toFixed(digits).split('.');
    parts[0] = parts[0].replace(/\B(?=(\d{3})+$)/g, told.marks.thousands);
    return (number < 0 && rounded > 0 ? '−' : '') + parts.join(told.marks.decimal) + (unit ? '\u00a0' + unit : '');
  }

  /** Whether it is a number: nothing is known before the first value, which is not 0. */
  function isKnown(value) {
    return value !== '' && value !== null && value !== undefined && Number.isFinite(Number(value));
  }

  function write(element, value) {
    const data = element.dataset;
    data.jtRaw = value;
    let text = String(value);
    if (data.jtKind === 'number') {
      const isSized = data.jtSigned && Number.isFinite(Number(value)) && value !== '';
      text = figure(isSized ? Math.abs(Number(value)) : value, data.jtUnit);
    } else if (data.jtKind === 'word') {
      const words = JSON.parse(data.jtWords);
      text = words[value] || (text === '' ? '–' : text);
      if (data.jtTones) data.jtTone = JSON.parse(data.jtTones)[value] || '';
    } else {
      const raw = text.toLowerCase();
      text = text === '' ? '–' : bound(dated(text));
      const chip = element.querySelector('.jtChip');
      const color = told.chips[raw];
      chip.hidden = !color;
      chip.style.background = color || '';
    }
    const last = element.lastChild;
    if (last && last.nodeType === 3) last.nodeValue = text;
    else element.append(text);
  }

  /** The words and the arrow of a direction. */
  function turn(element, value) {
    const flow = element.closest('.jtLine') && element.closest('.jtLine').querySelector('.jtFlow');
    if (!flow) return;
    const sign = Math.round(Number(value)) === 0 || !Number.isFinite(Number(value)) ? 'zero' : value > 0 ? 'plus' : 'minus';
    if (flow.dataset.jtSign === sign) return;
    flow.dataset.jtSign = sign;
    flow.textContent = flow.getAttribute('data-jt-' + sign);
  }

  function fill(meter, value) {
    const most = Number(meter.getAttribute('aria-valuemax'));
    const kept = Math.max(0, Math.min(most, Number(value) || 0));
    meter.hidden = !isKnown(value); // empty would mean 0
    meter.setAttribute('aria-valuenow', kept);
    meter.firstElementChild.style.width = (most > 0 ? 100 * kept / most : 0) + '%';
  }

  function median(numbers) {
    const sorted = numbers.slice().sort(function(a, b) { return a - b; });
    const middle = sorted.length >> 1;
    return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  /** Marks the panels that give clearly less than the others: by their day, where it is known, else by their power. */
  function compare(roof) {
    const panels = Array.from(roof.querySelectorAll('.jtPanel'));
    if (panels.length < 3) return;
    const days = panels.map(function(panel) { return panel.querySelector('.jtDay .jtValue'); });
    const byDay = days.every(function(each) { return each && isKnown(each.dataset.jtRaw); });
    const values = byDay ? days : panels.map(function(panel) { return panel.querySelector('b .jtValue'); });
    const numbers = values.map(function(each) { return isKnown(each.dataset.jtRaw) ? Number(each.dataset.jtRaw) : NaN; });
    const known = numbers.filter(Number.isFinite);
    const middle = known.length ? median(known) : 0;
    const isWorth = known.length > 2 && middle >= (told.odd[values[0].dataset.jtUnit] || 0);
    panels.forEach(function(panel, index) {
      const isOdd = isWorth && numbers[index] < told.odd.share * middle;
      panel.classList.toggle('jtLess', isOdd);
      panel.querySelector('.jtOdd').hidden = !isOdd;
    });
  }

  const changedRoofs = new Set();

  /** Once for all the values that come together: they are handed over one by one, in one go. */
  function compareLater(roof) {
    if (changedRoofs.size === 0) {
      queueMicrotask(function() {
        changedRoofs.forEach(compare);
        changedRoofs.clear();
      });
    }
    changedRoofs.add(roof);
  }

  /** What an element does with a new value, by the attribute that names its command. */
  const FOLLOWERS = {
    jtValue: function(element, news) {
      write(element, news.value === undefined ? news.display_value : news.value);
      turn(element, news.value);
      const body = element.closest('.jtBody');
      const health = body && body.querySelector('.jtHealth');
      if (health) health.dataset.jtLast = Math.floor(Date.now() / 1000);
      const roof = element.closest('.jtRoof');
      if (roof) compareLater(roof);
    },
    jtChosen: function(choice, news) { choose(choice, news.value); },
    jtMeter: function(meter, news) { fill(meter, news.value); },
    jtOther: function(line, news) {
      const value = news.value === undefined ? news.display_value : news.value;
      line.hidden = JSON.parse(line.dataset.jtUnless).includes(String(value));
    },
    jtFollows: function(button, news) { button.hidden = String(Number(news.value)) !== button.dataset.jtWhile; },
  };
  const FOLLOWING = '[data-jt-value], [data-jt-meter], [data-jt-follows], [data-jt-chosen], [data-jt-other]';
  /**
   * Elements by command: looking for them in a page of a hundred tiles takes longer than to write the value. A tile that
   * is drawn anew brings this file once more, and the core goes on with the functions of the first: they share it.
   */
  const following = window.jeenergieTilesFollowing = window.jeenergieTilesFollowing || new Map();

  /** A new value of a command, as the core sends it. */
  function update(news) {
    (following.get(String(news.cmd_id)) || []).forEach(function(element) {
      Object.keys(FOLLOWERS).forEach(function(name) {
        if (element.dataset[name] === String(news.cmd_id)) FOLLOWERS[name](element, news);
      });
    });
  }

  /** Forgets the elements of tiles that have gone. */
  function prune() {
    following.forEach(function(elements, id) {
      const left = elements.filter(function(each) { return each.isConnected; });
      if (left.length) following.set(id, left);
      else following.delete(id);
    });
  }

  /** The choice that holds is pressed; what was asked for no longer waits. */
  function choose(choice, value) {
    choice.querySelectorAll('.jtButton').forEach(function(button) {
      button.setAttribute('aria-pressed', String(button.dataset.jtWord === String(value)));
      button.removeAttribute('aria-busy');
    });
  }

  function age(seconds) {
    if (seconds < 60) return told.ages.s;
    if (seconds < 3600) return told.ages.min.replace('{n}', Math.floor(seconds / 60));
    if (seconds < 172800) return told.ages.h.replace('{n}', Math.floor(seconds / 3600));
    return told.ages.d.replace('{n}', Math.floor(seconds / 86400));
  }

  function showAges() {
    document.querySelectorAll('.jtHealth:not([hidden])').forEach(function(health) {
      const last = Number(health.dataset.jtLast);
      health.querySelector('.jtAge').textContent = last ? '· ' + age(Date.now() / 1000 - last) : '';
    });
  }

  /** The state of an equipment or of its connection has changed. */
  function state(news) {
    document.querySelectorAll('.jtHealth[data-jt-states~="' + news.id + '"]').forEach(function(health) {
      const isFine = news.state === 'online';
      health.hidden = isFine;
      health.closest('.jtBody').classList.toggle('jtOld', !isFine);
      health.querySelector('.jtWord').textContent = isFine ? '' : told.states[news.state] || news.state;
    });
    showAges();
  }

  function run(event) {
    const button = event.target.closest && event.target.closest('[data-jt-run]');
    if (button) {
      event.stopPropagation();
      const asked = { id: button.dataset.jtRun };
      if (button.dataset.jtSelect) {
        const done = function() { button.removeAttribute('aria-busy'); };
        asked.value = { select: button.dataset.jtSelect };
        asked.success = done;
        asked.error = function(error) {
          done();
          if (window.jeedomUtils) jeedomUtils.showAlert({ message: error.message, level: 'danger' });
        };
        button.setAttribute('aria-busy', 'true');
      }
      jeedom.cmd.execute(asked);
    }
    const link = event.target.closest && event.target.closest('[data-jt-page]');
    if (link) {
      event.preventDefault();
      event.stopPropagation();
      jeedomUtils.loadPage(link.dataset.jtPage, link.textContent, link.dataset.jtOption, 'jeenergie');
    }
  }

  function press(event) {
    const history = event.target.matches && event.target.matches('.jtHistory');
    if (history && (event.key === 'Enter' || event.key === ' ')) {
      event.preventDefault();
      event.target.click();
    }
  }

  window.jeenergieTiles = {
    figure: figure,
    update: update,
    state: state,
    /** Follows the commands of tiles that are new on the page. */
    attach: function() {
      document.querySelectorAll('.jtBody:not([data-jt-attached])').forEach(function(body) {
        body.dataset.jtAttached = '1';
        body.querySelectorAll(FOLLOWING).forEach(function(each) {
          Object.keys(FOLLOWERS).forEach(function(name) {
            const id = each.dataset[name];
            if (!id) return;
            const known = following.get(id) || [];
            if (known.includes(each)) return;
            following.set(id, known.concat(each));
            // The core takes functions with the same text for the same one: it has to be this one for all commands.
            jeedom.cmd.addUpdateFunction(id, update);
          });
        });
        body.querySelectorAll('.jtRoof').forEach(compare);
      });
      showAges();
    },
  };

  const style = document.querySelector('style.jtStyle');
  if (style && !document.getElementById('jtStyle')) {
    const kept = style.cloneNode(true);
    kept.id = 'jtStyle';
    document.head.append(kept);
  }
  if (window.jeenergieTilesStarted) return;
  window.jeenergieTilesStarted = true;
  document.addEventListener('click', run, true);
  document.addEventListener('keydown', press);
  setInterval(function() {
    showAges();
    prune();
  }, AGES_MS);
  const heard = function(event, option) { window.jeenergieTiles.state(option || event.detail || {}); };
  if (window.jQuery) window.jQuery('body').on('jeenergie::state', heard);
  else document.body.addEventListener('jeenergie::state', heard);
})();
