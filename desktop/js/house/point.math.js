/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * The page of a charge point as numbers and texts: places on the chart, sums, the journal as a file. Pure functions; they
 * know no element of a page. Powers in W, moments as ISO 8601 texts or in ms; null: not known, which is never 0.
 */
window.jeenergieHouse = window.jeenergieHouse || {};

(function(house) {
  'use strict';

  const QUARTER_H = 0.25, HOUR_MS = 3600000;
  const LEAST_POWER_W = 1000;
  const ms = (at) => new Date(at).getTime();

  /** From moments to pixels: the chart's begin stands at `left`, its end at `right`. */
  function across(outlook, left, right) {
    const begin = ms(outlook.begin), end = ms(outlook.end);
    return (at) => left + ((typeof at === 'number' ? at : ms(at)) - begin) / (end - begin) * (right - left);
  }

  /** Full hours for the axis, as few as fit: [{at: ms, hour}]. `count`: how many labels there is room for. */
  function ticks(outlook, count) {
    const begin = ms(outlook.begin), end = ms(outlook.end);
    const step = [1, 2, 3, 4, 6, 12].find((each) => (end - begin) / HOUR_MS / each <= count) || 24;
    const found = [];
    // By the house's own hours, which the texts carry, whatever the browser's time zone is.
    const offset = zone(outlook.at);
    for (let at = Math.ceil(begin / HOUR_MS) * HOUR_MS; at <= end; at += HOUR_MS) {
      const hour = new Date(at + offset).getUTCHours();
      if (hour % step === 0) found.push({ at: at, hour: hour });
    }
    return found;
  }

  /** Where the label of a column stands and its room: the middle, or beside the line of now that would go through it. */
  function labelPlace(from, width, now, size) {
    const middle = from + width / 2, left = now - from;
    if (Math.abs(middle - now) > size / 2) return [middle, width];
    return left > width / 2 ? [from + left / 2, left] : [(now + from + width) / 2, width - left];
  }

  /** ms that the house's clock is ahead of UTC, from a text with its offset. */
  function zone(at) {
    const found = /([+-])(\d\d):(\d\d)$/.exec(at);
    return found ? (found[1] === '-' ? -1 : 1) * (Number(found[2]) * 60 + Number(found[3])) * 60000 : 0;
  }

  const clock = (at) => String(at).slice(11, 16);

  /** Highest power on the chart, rounded up, so that its scale does not jump with each sample. */
  function top(outlook) {
    const all = outlook.past.flatMap((each) => [each.solar, each.car]).filter((each) => each !== null);
    return Math.ceil(Math.max(LEAST_POWER_W, ...all) / 1000) * 1000;
  }

  /** Runs of quarters whose value is known, for lines that break where nothing was measured. */
  function runs(past, key) {
    const found = [];
    past.forEach((each, index) => {
      if (each[key] === null) return;
      const before = past[index - 1];
      const isNew = !found.length || !before || before[key] === null || ms(each.at) - ms(before.at) > QUARTER_H * HOUR_MS;
      if (isNew) found.push([]);
      found[found.length - 1].push({ at: ms(each.at), value: each[key] });
    });
    return found;
  }

  /** kWh of what is known of a row of quarters; null if nothing is. */
  function energy(past, key) {
    const known = past.map((each) => each[key]).filter((each) => each !== null);
    return known.length ? known.reduce((sum, each) => sum + each, 0) * QUARTER_H / 1000 : null;
  }

  /** Highest known price, and whether prices differ at all. */
  function range(prices) {
    const known = prices.map((each) => each.price).filter((each) => each !== null);
    return { most: known.length ? Math.max(...known) : null, least: known.length ? Math.min(...known) : null };
  }

  /** How much of the goal is charged, from 0 to 100; null without one, or if the car's battery is not known. */
  function progress(goal) {
    if (goal.percent > 0) return goal.level === null ? null : Math.max(0, Math.min(100, 100 * goal.level / goal.percent));
    return goal.energy > 0 ? Math.max(0, Math.min(100, 100 * goal.done / goal.energy)) : null;
  }

  const INPUTS = ['mode', 'grid', 'battery', 'apparent', 'age', 'voltage', 'drawn', 'told', 'plan'];

  /** The journal as a file for a spreadsheet, the newest line first. What is not known is an empty field. */
  function csv(entries, heads) {
    const field = (value) => {
      if (value === null || value === undefined) return '';
      if (typeof value === 'number') return String(value);
      const text = Array.isArray(value) ? value.join(' ') : String(value);
      // A spreadsheet must not take a text for a formula.
      return '"' + (/^[=+@\t\r-]/.test(text) ? "'" + text : text).replace(/"/g, '""') + '"';
    };
    const lines = entries.slice().reverse().map((each) => {
      const inputs = each.inputs || {};
      return [each.at, each.decision, each.why, ...INPUTS.map((key) => inputs[key])].map(field).join(',');
    });
    return [['at', 'decision', 'why', ...INPUTS].map((key) => field(heads[key] || key)).join(','), ...lines, ''].join('\r\n');
  }

  house.pointMath = {
    across: across, ticks: ticks, labelPlace: labelPlace, clock: clock, top: top, runs: runs, energy: energy, range: range, progress: progress, csv: csv, ms: ms, zone: zone
  };
})(window.jeenergieHouse);
