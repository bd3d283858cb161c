"""The socket: `commands` answers Jeedom's messages within `limits`; `reach` says whether values get through to it."""
