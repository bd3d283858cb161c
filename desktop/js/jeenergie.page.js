/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * The form of a connection or a piece of equipment, between the core's page script and the catalogue.
 *
 * The core binds what all equipment has (eqLogicAttr, cmdAttr); settings of the catalogue are drawn, read and posted
 * here, since the core would turn a pasted JSON text into an object and lose it.
 */
(function(jn) {
  'use strict';

  const byId = function(id) { return document.getElementById(id); };
  const attribute = function(key) { return document.querySelector('#eqlogictab .eqLogicAttr[data-l1key="' + key + '"]'); };

  /** What the form shows: {id, kind, backend, type, form, settings of its connection, ...}; null while it shows nothing. */
  jn.current = null;

  /* ------------------------------------------------------------------ hooks of the core's page script */

  window.prePrintEqLogic = function() {
    jn.current = null;
    // The core does not reset checkboxes for which the next one has no value.
    document.querySelectorAll('#eqlogictab .eqLogicAttr[data-l1key="category"]').forEach(function(box) { box.checked = false; });
    ['div_jeenergieEssentials', 'div_jeenergieFolded', 'div_jeenergieState', 'div_jeenergieResult', 'div_jeenergieOperations', 'div_jeenergieEquipment', 'div_jeenergieCommands'].forEach(function(id) {
      byId(id).empty();
    });
    byId('span_jeenergieMissing').textContent = '';
    showPage('', '');
  };

  window.printEqLogic = function(data) {
    const configuration = data.configuration || {};
    const current = {
      id: String(data.id), kind: configuration.kind, backend: configuration.backend, type: configuration.type,
      isEnable: data.isEnable == 1, parent: String(configuration.connection || ''), parentSettings: {},
      shown: (data.cmd || []).map(function(cmd) { return String(cmd.id); })
    };
    jn.current = current;
    document.querySelectorAll('#div_jeenergie [data-jn_kind]').forEach(function(element) {
      element.style.display = element.getAttribute('data-jn_kind') === current.kind ? '' : 'none';
    });
    drawSettings(current, configuration.config, data.secretsSet);
    if (current.kind === 'connection') printConnection(current);
    else printEquipment(current, configuration);
    jn.showOwnState();
    jn.showFirstSteps();
    loadDetails(current);
  };

  window.addCmdToTable = jn.addCommand;

  window.saveEqLogic = function(eqLogic) {
    const current = jn.current;
    eqLogic.configuration = eqLogic.configuration || {};
    eqLogic.configuration.config = current.form.values();
    if (current.kind === 'equipment') {
      eqLogic.configuration.connection = byId('sel_jeenergieConnection').value || current.parent;
      if (!byId('in_jeenergieKey').readOnly) eqLogic.configuration.key = byId('in_jeenergieKey').value.trim();
    }
    if (eqLogic.isEnable == 1) current.form.mark();
    jn.addCommandsTo(eqLogic);
    return eqLogic;
  };

  /* ------------------------------------------------------------------ both kinds */

  function part(current) {
    const backend = jn.backend(current.backend);
    return (current.kind === 'connection' ? backend.connection : backend.equipment[current.type]) || { fields: [] };
  }

  function drawSettings(current, saved, secretsSet) {
    const backend = jn.backend(current.backend);
    const fields = part(current).fields || [];
    const legend = byId('legend_jeenergieFields');
    legend.style.display = fields.length ? '' : 'none';
    legend.querySelector('span').textContent = current.kind === 'connection' ? backend.name : '{{Réglages}}';
    const help = byId('div_jeenergieSystemHelp').empty();
    if (current.kind === 'connection' && backend.help) help.append(jn.linked(backend.help));
    if (current.kind === 'connection' && backend.documentation) help.append(' ', jn.linked(backend.documentation));
    current.form = jn.form(byId('div_jeenergieEssentials'), fields, {
      folded: byId('div_jeenergieFolded'),
      values: saved && !Array.isArray(saved) ? saved : {},
      secretsSet: secretsSet,
      context: function() { return jn.prefixed(current.parentSettings); },
      changed: function() {
        jn.touched();
        if (current.kind === 'connection') showActions(current);
      }
    });
  }

  function printConnection(current) {
    const locked = Boolean(part(current).nameLocked);
    attribute('name').readOnly = locked;
    byId('span_jeenergieNameLocked').style.display = locked ? '' : 'none';
    const fresh = jn.recall('fresh').includes(current.id);
    if (fresh && current.isEnable) jn.remember('fresh', []);
    const tick = fresh && !current.isEnable;
    if (tick) attribute('isEnable').checked = true;
    byId('span_jeenergieFresh').style.display = tick ? '' : 'none';
    byId('span_jeenergieCascade').style.display = 'none';
    jn.drawOperations();
    showActions(current);
    jn.drawEquipment();
    jn.showUnderWay();
    jn.refreshOldest();
  }

  function showActions(current) {
    jn.showOperations();
    const byHand = jn.typesByHand(current.backend, current.form.settings()).length > 0;
    document.querySelectorAll('#eqlogictab .jnByHand').forEach(function(button) { button.classList.toggle('hidden', !byHand); });
  }

  /** Some equipment has a page of its own. */
  function showPage(id, page) {
    const link = byId('bt_jeenergiePage');
    link.style.display = page ? '' : 'none';
    link.href = page ? 'index.php?v=d&m=jeenergie&p=' + page + '&id=' + encodeURIComponent(id) : '#';
  }

  function printEquipment(current, configuration) {
    const type = part(current);
    showPage(current.id, type.page);
    attribute('name').readOnly = false;
    ['span_jeenergieNameLocked', 'span_jeenergieFresh', 'span_jeenergieCascade'].forEach(function(id) { byId(id).style.display = 'none'; });
    const same = jn.data.list.connections.filter(function(each) { return each.backend === current.backend; });
    const select = byId('sel_jeenergieConnection');
    select.replaceChildren(...same.map(function(each) { return jn.el('option', { value: each.id, text: each.name }); }));
    if (!same.some(function(each) { return each.id === current.parent; })) {
      select.prepend(jn.el('option', { value: '', text: '{{Connexion supprimée : choisissez-en une}}' }));
    }
    select.value = same.some(function(each) { return each.id === current.parent; }) ? current.parent : '';
    select.disabled = !(type.movable || select.value === '') || same.length === 0;
    byId('span_jeenergieMove').textContent = type.movable && same.length > 1
      ? '{{Vous pouvez rattacher cet équipement à une autre connexion du même système.}}' : '';
    byId('p_jeenergieType').replaceChildren(jn.icon(type.icon || 'fas fa-bolt'), ' ' + (type.name || current.type));
    current.key = configuration.key || '';
    showKey(current, jn.summary(current.id) || {}, true);
  }

  /** The list may be older than the settings of the form: the key can be typed once the server has told. */
  function showKey(current, summary, isFixed) {
    byId('label_jeenergieKey').textContent = summary.keyLabel || '{{Identifiant}}';
    const input = byId('in_jeenergieKey'), name = byId('p_jeenergieKey');
    const isNamed = isFixed && summary.shownKey !== undefined && summary.shownKey !== current.key;
    name.closest('.form-group').style.display = isNamed && summary.shownKey === '' ? 'none' : '';
    input.readOnly = isFixed;
    input.value = current.key;
    input.style.display = isNamed ? 'none' : '';
    name.style.display = isNamed ? '' : 'none';
    name.replaceChildren(!isNamed ? '' : jn.summary(current.key) ? jn.linkTo(current.key, summary.shownKey) : summary.shownKey);
  }

  /** Loads what the core's page script does not: settings of the connection, fields of commands, missing commands. */
  async function loadDetails(current) {
    try {
      const details = await jn.ask('get', { id: current.id });
      if (jn.current !== current) return;
      current.parentSettings = details.connection ? details.connection.config : {};
      current.form.refresh();
      if (current.kind === 'equipment') showKey(current, details, details.isKeyFixed);
      jn.showCommandDetails(details, Object.assign(jn.prefixed(current.parentSettings), current.form.settings()));
    } catch (error) {
      jn.notice(byId('div_jeenergieCommands'), 'danger', error.message);
    }
  }

  jn.showOwnState = function() {
    const place = byId('div_jeenergieState');
    const summary = jn.current && jn.summary(jn.current.id);
    if (!place || !summary) return;
    const parent = jn.current.kind === 'equipment' ? jn.summary(jn.current.parent) : null;
    const shown = [];
    const line = function(label, elements) {
      if (elements.length) shown.push(jn.el('div', { class: 'jnState' }, [label ? jn.el('span', { text: label }) : null].concat(elements)));
    };
    if (parent) line(parent.name, jn.stateElements(parent));
    line(parent ? '{{Cet équipement}}' : '', jn.stateElements(summary));
    [summary, parent].filter(Boolean).forEach(function(each) {
      const state = jn.stateOf(each);
      if (!state || !state.message || state.level === 'success') return;
      shown.push(jn.linked(state.message, { class: 'jnStateMessage' }));
      if (each !== summary) return;
      const offered = jn.current.offered;
      // The same buttons as long as the state lasts: one may be clicked or have the focus.
      jn.current.offered = offered?.state === state.name ? offered : { state: state.name, buttons: jn.remedies(state.name) };
      shown.push(...jn.current.offered.buttons);
    });
    const oldest = jn.current.oldest;
    if (oldest) shown.push(jn.el('span', { class: 'jnHelp', 'data-jn_oldest': oldest.equipment, text: jn.fill('{{Donnée la plus ancienne : %s (%s)}}', jn.age(oldest.at), oldest.name) }));
    if (!summary.isEnable && jn.current.kind === 'connection' && !attribute('isEnable').checked) shown.push(jn.el('span', { class: 'jnHelp', text: '{{Cochez « Activer » et sauvegardez pour la mettre en service.}}' }));
    const focused = document.activeElement;
    place.replaceChildren(...shown);
    if (place.contains(focused)) focused.focus({ preventScroll: true });
  };

  /* ------------------------------------------------------------------ actions of the form */

  jn.actions.gotoConnection = function() {
    const id = byId('sel_jeenergieConnection').value;
    if (id) jn.open(id);
  };

  jn.actions.addByHand = function(button) {
    const group = button.closest('.jnGroup');
    const connection = jn.summary(group ? group.getAttribute('data-connection') : jn.current.id);
    jn.addByHand(connection, group ? null : jn.current.form.settings());
  };

  /* ------------------------------------------------------------------ start */

  const page = byId('div_jeenergie');

  page.addEventListener('click', function(event) {
    const target = event.target.closest('[data-jn_action]');
    if (!target || target.hasClass('disabled')) return;
    event.preventDefault();
    jn.actions[target.getAttribute('data-jn_action')](target, event);
  });

  // Before the core's own listener, for connections only.
  page.addEventListener('click', function(event) {
    if (!jn.current || jn.current.kind !== 'connection' || !event.target.closest('.eqLogicAction[data-action="remove"]')) return;
    event.stopPropagation();
    jn.removeConnection();
  }, true);

  // Back to a list that is out of date: reload it.
  page.addEventListener('click', function(event) {
    if (!jn.stale || !event.target.closest('.eqLogicAction[data-action="returnToThumbnailDisplay"]')) return;
    event.stopPropagation();
    event.preventDefault();
    jeedomUtils.loadPage('index.php?v=d&m=jeenergie&p=jeenergie');
  }, true);

  page.addEventListener('change', function(event) {
    if (!jn.current) return;
    if (event.target.matches('#sel_jeenergieConnection, #in_jeenergieKey')) jn.touched();
    if (event.target === attribute('isEnable') && jn.current.kind === 'connection') {
      const summary = jn.summary(jn.current.id);
      const cascades = jn.current.isEnable && !event.target.checked && summary && summary.equipment.length > 0;
      byId('span_jeenergieCascade').style.display = cascades ? '' : 'none';
    }
  });

  // A button that is an icon has a name for who does not see it. The core's tooltips take the title away.
  page.querySelectorAll('a, button').forEach(function(element) {
    const title = element.title || element.getAttribute('data-title');
    if (title && !element.textContent.trim()) element.setAttribute('aria-label', title);
  });

  // Elements that look like buttons can be used with the keyboard.
  page.querySelectorAll('[data-jn_action]').forEach(function(element) {
    element.setAttribute('role', 'button');
    element.setAttribute('tabindex', '0');
  });
  document.body.registerEvent('keydown', function jeenergieKey(event) {
    if (!['Enter', ' '].includes(event.key) || !event.target.matches('#div_jeenergie :is([role=button], .jnRow), .jnDialog a[role=button]')) return;
    event.preventDefault();
    event.target.click();
  });

  // Enter in a field would send the form, that is, load another page.
  page.querySelector('form').addEventListener('submit', function(event) { event.preventDefault(); });

  jn.nameInput(byId('in_jeenergieName'));

  if (window.jeenergieAfterReload) setTimeout(jn.showAfterReload, 300);
})(window.jeenergiePage);
