/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * The list: states and ages, kept up to date; folding, which is remembered; search; problems of the daemon.
 */
(function(jn) {
  'use strict';

  const REFRESH_S = 10;
  /** How long states that change together are collected before one request. */
  const COLLECT_MS = 300;
  /** A live value that is older is greyed. */
  const OLD_S = 3600;
  const LEVELS = {
    online: 'success', connecting: 'info', waiting: 'warning', no_data: 'warning', unreachable: 'danger',
    authentication_failed: 'danger', untrusted: 'danger', error: 'danger', stopped: 'default'
  };

  /* ------------------------------------------------------------------ summaries by id */

  const known = {};

  function learn(list) {
    jn.data.list = list;
    jn.setServerTime(list.now);
    list.connections.forEach(function(connection) {
      known[connection.id] = connection;
      connection.equipment.forEach(function(each) {
        known[each.id] = each;
        each.connection = connection.id;
      });
    });
    list.orphans.forEach(function(each) { known[each.id] = each; });
  }

  /** Summary of a connection, with its equipment, or of a piece of equipment. */
  jn.summary = function(id) {
    return known[id];
  };

  /** Date of the last communication of a connection or its equipment; '' if there was none. */
  function lastNews(summary) {
    const isSilent = summary.kind === 'connection' && summary.state?.state !== 'online';
    return (isSilent ? [] : [summary]).concat(summary.equipment || [])
      .map(function(each) { return each.lastCommunication || ''; }).sort().pop() || '';
  }

  /** State to show of a connection or a piece of equipment: {level, text, message, since, until}; no text: show nothing. */
  jn.stateOf = function(summary) {
    const state = summary.state || {};
    const isConnection = summary.kind === 'connection';
    if (!summary.isEnable) return { level: 'default', text: isConnection ? '{{Désactivée}}' : '{{Désactivé}}' };
    if (!['running', 'unheard'].includes(jn.data.list.daemon.state)) return isConnection ? { level: 'danger', text: '{{Démon arrêté}}' } : { level: '' };
    if (!state.state) return isConnection ? { level: 'default', text: "{{Aucune donnée reçue pour l'instant}}" } : { level: '' };
    return { level: LEVELS[state.state] || 'default', name: state.state, text: state.text || state.state, message: state.message, since: state.since, until: state.until };
  };

  /** Elements that show a state: a coloured label, and the age of the last data. */
  jn.stateElements = function(summary) {
    const state = jn.stateOf(summary);
    const news = lastNews(summary);
    const details = [];
    if (state.since) details.push(jn.fill('{{depuis %s}}', jn.moment(state.since)));
    if (state.until) details.push(jn.fill("{{jusqu'à %s}}", jn.moment(state.until)));
    return [
      state.text ? jn.el('span', { class: 'label label-' + state.level, text: state.text }) : null,
      news && summary.isEnable ? jn.el('span', { class: 'jnAge', text: jn.fill('{{reçu %s}}', jn.age(news)) }) : null,
      details.length && state.level !== 'success' ? jn.el('span', { class: 'jnAge', text: details.join(', ') }) : null
    ].filter(Boolean);
  };

  function showStates() {
    document.querySelectorAll('#div_jeenergie .jnState').forEach(function(place) {
      const summary = known[place.getAttribute('data-state_of')];
      if (summary) place.replaceChildren(...jn.stateElements(summary));
    });
    document.querySelectorAll('#div_jeenergie .jnDot').forEach(function(dot) {
      const summary = known[dot.getAttribute('data-state_of')];
      const own = summary && jn.stateOf(summary);
      dot.title = own ? [own.text, own.level !== 'success' && own.message].filter(Boolean).join('{{ : }}') : '';
      dot.className = 'jnDot' + (own && own.level && own.level !== 'default' ? ' jnDot-' + own.level : '');
    });
    document.querySelectorAll('#div_jeenergie [data-live_of]').forEach(function(place) {
      const live = known[place.getAttribute('data-live_of')]?.live;
      const shown = live?.text || '';
      if (place.textContent !== shown) place.textContent = shown;
      place.title = live ? live.name + (live.date ? ', ' + jn.age(live.date) : '') : '';
      place.classList.toggle('jnOld', Boolean(live?.date) && jn.secondsSince(live.date) > OLD_S);
    });
    document.querySelectorAll('#div_jeenergie [data-message_of]').forEach(function(place) {
      const summary = known[place.getAttribute('data-message_of')];
      const state = summary && jn.stateOf(summary);
      const wrong = state && ['danger', 'warning'].includes(state.level) && state.message;
      place.textContent = wrong ? state.message : '';
      place.style.display = wrong ? '' : 'none';
    });
    jn.showOwnState?.();
    jn.showFirstSteps?.();
  }

  /** Updates the states. If equipment was added or removed, the page is reloaded as soon as the list is shown. */
  jn.refresh = async function() {
    const before = Object.keys(known).sort().join();
    const list = await jn.ask('list');
    Object.keys(known).forEach(function(id) { delete known[id]; });
    learn(list);
    showStates();
    showDaemon();
    if (before !== Object.keys(known).sort().join()) {
      jn.stale = true;
      if (jn.current?.kind === 'connection') jn.drawEquipment();
    }
    const isShown = document.querySelector('.eqLogicThumbnailDisplay')?.isVisible();
    const isUsed = jeedomUtils.getOpenedModal() || document.getElementById('in_searchEqlogic')?.value;
    if (jn.stale && isShown && !isUsed) jn.reload();
    return list;
  };

  /* ------------------------------------------------------------------ the daemon */

  /** Buttons for a daemon that does not run; results are shown in the same place. */
  jn.daemonButtons = function(place) {
    const small = 'btn-sm btn-default';
    return {
      stopped: [jn.button('{{Démarrer le démon}}', 'fas fa-play', function() { startDaemon(place); }, 'btn-sm btn-success')],
      dependencies: [jn.button('{{Installer les dépendances}}', 'fas fa-download', function() { installDependencies(place); }, 'btn-sm btn-success')],
      blocked: [jn.button('{{Configuration du plugin}}', 'fas fa-wrench', jn.openConfiguration, small)],
      unheard: [jn.button('{{Accès interne}}', 'fas fa-network-wired', function() { jeedomUtils.loadPage('index.php?v=d&p=administration#networktab'); }, small)]
    }[jn.data.list.daemon.state] || [];
  };

  function showDaemon() {
    const place = document.getElementById('div_jeenergieDaemon');
    const daemon = jn.data.list.daemon;
    const shown = daemon.state + ' ' + daemon.text;
    if (place.getAttribute('data-shown') === shown) return;
    place.setAttribute('data-shown', shown);
    jn.notice(place, daemon.state === 'installing' ? 'busy' : 'danger', daemon.text, jn.daemonButtons(place));
  }

  function logButton(log) {
    return jn.button('{{Log}} ' + log, 'fas fa-paperclip', function() { jn.openLog(log); }, 'btn-sm btn-default');
  }

  async function startDaemon(place) {
    jn.notice(place, 'busy', '{{Le démon démarre…}}');
    try {
      await jn.ask('startDaemon');
      await jn.refresh();
      jn.notice(place, '', '');
      jn.toast('success', '{{Le démon est démarré.}}');
    } catch (error) {
      const retry = jn.button('{{Démarrer le démon}}', 'fas fa-play', function() { startDaemon(place); }, 'btn-sm btn-success');
      jn.notice(place, 'danger', error.message, [retry, logButton('jeenergie'), logButton('jeenergie_daemon')]);
    }
  }

  function installDependencies(place) {
    jeedom.plugin.dependancyInstall({
      id: 'jeenergie',
      error: function(error) { jn.notice(place, 'danger', jn.plain(error.message)); },
      success: function() {
        jn.notice(place, 'busy', "{{Les dépendances s'installent : cela prend une à quelques minutes.}}", [logButton('jeenergie_update')]);
      }
    });
  }

  /* ------------------------------------------------------------------ folding and search */

  const groups = function() { return Array.from(document.querySelectorAll('#div_jeenergie .jnGroup')); };

  function showFolded() {
    const folded = jn.recall('folded');
    groups().forEach(function(group) {
      group.classList.toggle('jnFolded', folded.includes(group.getAttribute('data-connection')));
    });
  }

  function fold(changed, isFolded) {
    const ids = changed.map(function(group) { return group.getAttribute('data-connection'); });
    const others = jn.recall('folded').filter(function(id) { return !ids.includes(id); });
    jn.remember('folded', isFolded ? others.concat(ids) : others);
    showFolded();
  }

  jn.actions.fold = function(target) {
    const group = target.closest('.jnGroup');
    fold([group], !group.hasClass('jnFolded'));
  };
  jn.actions.foldAll = function() { fold(groups(), true); };
  jn.actions.unfoldAll = function() { fold(groups(), false); };
  jn.actions.open = function(target) {
    target.closest('.jnGroup').querySelector('.jnConnection').click();
  };

  /** Run after the core has hidden cards that do not match: hides groups without a match and unfolds the others. */
  function afterSearch(text) {
    groups().forEach(function(group) {
      const head = group.querySelector('.jnGroupHead .eqLogicDisplayCard');
      const cards = group.querySelectorAll('.jnGroupBody .eqLogicDisplayCard');
      if (text !== '' && head && head.style.display !== 'none') cards.seen();
      head?.seen();
      const found = Array.from(cards).some(function(card) { return card.style.display !== 'none'; });
      const matches = text === '' || found || (head && jeedomUtils.normTextLower(head.textContent).includes(jeedomUtils.normTextLower(text)));
      group.style.display = matches ? '' : 'none';
      group.classList.toggle('jnSearching', text !== '');
      group.querySelectorAll('.jnType').forEach(function(type) {
        const all = Array.from(type.querySelectorAll('.eqLogicDisplayCard'));
        const some = all.filter(function(card) { return card.style.display !== 'none'; }).length;
        type.style.display = some ? '' : 'none';
        type.querySelector('.badge').textContent = some === all.length ? String(all.length) : some + ' / ' + all.length;
      });
    });
    const nothing = text !== '' && groups().every(function(group) { return group.style.display === 'none'; });
    const place = document.getElementById('div_jeenergieNothing');
    jn.notice(place, nothing ? 'info' : '', nothing ? jn.fill('{{Rien ne correspond à « %s ».}}', text) : '', [
      jn.button('{{Vider la recherche}}', 'fas fa-times', function() { document.getElementById('bt_resetSearch').click(); }, 'btn-sm btn-default')
    ]);
  }

  /* ------------------------------------------------------------------ start */

  learn(jn.data.list);
  showFolded();
  showStates();
  showDaemon();

  document.querySelectorAll('#div_jeenergie .jnGroup').forEach(function(group) {
    const connection = known[group.getAttribute('data-connection')];
    const byHand = connection && jn.typesByHand(connection.backend, null).length > 0;
    group.querySelector('.jnByHand')?.classList.toggle('hidden', !byHand);
  });

  // In the bubbling phase, after the core's own listener on the input.
  document.querySelector('.eqLogicThumbnailDisplay').addEventListener('keyup', function(event) {
    if (event.target.id === 'in_searchEqlogic') afterSearch(event.target.value);
  });

  // Events, which every user gets, carry no texts: they are asked for, once for all that arrive together.
  let soon = null;
  jn.on('jeenergie::state', function(state) {
    if (!known[state.id] || soon) return;
    soon = setTimeout(function() {
      soon = null;
      jn.refresh().catch(function() { /* tried again soon */ });
    }, COLLECT_MS);
  });
  jn.on('jeenergie::equipment', async function(event) {
    try {
      const news = await jn.ask('words', { connection: event.connection, event: 'equipment' });
      if (news.text) jn.afterReload(news.level, news.text);
      await jn.refresh();
    } catch (error) { /* tried again soon */ }
    if (!jn.isReloading) jn.showAfterReload();
  });

  jn.every(5, showStates);
  jn.every(REFRESH_S, function() {
    if (!document.hidden) jn.refresh().catch(function() { /* tried again soon */ });
  });
})(window.jeenergiePage);
