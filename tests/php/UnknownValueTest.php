<?php

/** Widgets of the core before a first value, on the double, which shows 0 for a number without one as the core does. */
final class UnknownValueTest extends JeenergieTestCase
{
    public function testANumberWithoutAValueIsADashAndNoZero(): void
    {
        $cmd = $this->info('numeric');
        $this->assertSame('<b>power dashboard</b><i>0|–</i>', $cmd->toHtml());
        $cmd->setCache('value', 0);
        $this->assertSame('<b>power dashboard</b><i>0|0</i>', $cmd->toHtml());
    }

    public function testAYesOrNoWithoutAValueIsNeither(): void
    {
        $cmd = $this->info('binary');
        $this->assertSame('<b>power mobile</b><i>–|–</i>', $cmd->toHtml('mobile'));
        $cmd->setCache('value', 0);
        $this->assertSame('<b>power mobile</b><i>0|0</i>', $cmd->toHtml('mobile'));
    }

    public function testATextAndAnActionAreTheCores(): void
    {
        $this->assertSame('<b>power dashboard</b><i>|</i>', $this->info('string')->toHtml());
        $action = new jeenergieCmd();
        $action->setLogicalId('stop')->setType('action')->setSubType('other')->setName('Stop');
        $this->assertSame('<b>stop dashboard</b>', $action->toHtml());
    }

    public function testTheUsersParametersStayAndNothingIsKept(): void
    {
        $cmd = $this->info('numeric');
        $cmd->setDisplay('parameters', ['time' => 'duration', 'state' => 'mine']);
        $this->assertSame('<b>power dashboard</b><i>0|–</i>', $cmd->toHtml());
        $this->assertSame(['time' => 'duration', 'state' => 'mine'], $cmd->getDisplay('parameters'));
    }

    private function info(string $subType): jeenergieCmd
    {
        $cmd = new jeenergieCmd();
        $cmd->setLogicalId('power')->setType('info')->setSubType($subType)->setName('Puissance');
        return $cmd;
    }
}
